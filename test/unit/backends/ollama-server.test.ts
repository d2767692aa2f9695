import { mkdtemp, rm } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Catalogue } from '../../../src/main/backends/dialects/ollama/catalogue';
import type { OllamaApi } from '../../../src/main/backends/dialects/ollama/ollama-api';
import type { Locate, Located } from '../../../src/main/backends/locate';
import { ManagedOllama } from '../../../src/main/backends/ollama/managed-ollama';
import { ServerChoice, type ServerChoiceOptions } from '../../../src/main/backends/ollama/server-choice';
import { StatusBoard } from '../../../src/main/backends/status-board';
import { silentLogger } from '../../../src/main/ports/logger';
import { DEFAULT_LIMITS, type SupervisorLimits } from '../../../src/main/supervisor/limits';
import { ChildRecords } from '../../../src/main/supervisor/sweep';
import { TandemError } from '../../../src/shared/errors';
import { FakeClock, settle } from '../../support/fake-clock';
import { FakeProcessTable, FakeSpawner } from '../../support/fake-processes';
import { ANSWER, ScriptedOllama, SILENCE, type Way } from '../../support/scripted-ollama';

const FOUND: Located = { path: 'ollama' };

let folder: string;
let clock: FakeClock;
let records: ChildRecords;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-server-'));
  clock = new FakeClock();
  records = new ChildRecords(join(folder, 'children.json'));
});
afterEach(async () => {
  await records.settled();
  await rm(folder, { recursive: true, force: true });
});

function managed(server: ScriptedOllama, locate: Locate, limits: Partial<SupervisorLimits> = {}) {
  const table = new FakeProcessTable();
  const spawner = new FakeSpawner();
  const ports = { clock, spawner, table, records, logger: silentLogger };
  const ollama = new ManagedOllama(
    {
      locate,
      // Not writable, so that the port is chosen here and the server is queried for it.
      logFile: join(devNull, 'ollama.log'),
      env: {},
      createApi: () => server.api,
      catalogue: new Catalogue('ollama'),
      limits: () => ({ ...DEFAULT_LIMITS, ...limits }),
      mayStart: async () => {},
    },
    ports,
  );
  return { ollama, ports, spawner };
}

/** Starts it; free ports and files take real time, during which the test's clock must stand still. */
async function startUp(made: ReturnType<typeof managed>): Promise<void> {
  void made.ollama.supervisor.start();
  await spawned(made, 1);
}

async function spawned({ spawner }: ReturnType<typeof managed>, count: number): Promise<void> {
  while (spawner.children.length < count) await new Promise((resolve) => setImmediate(resolve));
  await records.settled();
}

function choiceOptions(candidates: string[], createApi: () => OllamaApi): ServerChoiceOptions {
  return {
    url: null,
    setBy: 'OLLAMA_API_URL',
    candidates,
    instanceId: 'test',
    board: new StatusBoard('ollama', 10),
    createApi,
    busy: () => false,
    onChosen: () => {},
  };
}

test('a caller that waits for ours gets the server that replaces it', async () => {
  const theirs = new ScriptedOllama();
  theirs.facts = { version: '0.24.0' };
  let there = false;
  const { ollama, ports } = managed(new ScriptedOllama(), foundOnce());
  const choice = new ServerChoice(
    choiceOptions(['http://127.0.0.1:11434'], () => (there ? theirs : nobody()).api),
    ollama,
    ports,
  );
  await choice.start();
  await settle();
  expect(ollama.supervisor.view().state).toBe('backoff');
  const waits = choice.ensureReady();
  there = true;
  await clock.advance(5000);
  await waits;
  expect(choice.managed).toBe(false);
  expect(choice.current).toBe(theirs.api);
  await choice.stop();
});

test('a program that the set-up installs during a server search is not missed', async () => {
  let path: string | null = null;
  const absent = { absent: { code: 'setup', cure: 'It is being set up.', setup: true } } as const;
  const { ollama, ports, spawner } = managed(new ScriptedOllama(), async () =>
    path === null ? absent : { path },
  );
  let answer = () => {};
  const slow = nobody();
  const look = slow.api.version;
  let isSlow = false;
  slow.api.version = async (signal) => {
    if (isSlow) await new Promise<void>((settled) => (answer = settled));
    return look(signal);
  };
  const choice = new ServerChoice(
    choiceOptions(['http://127.0.0.1:11434'], () => slow.api),
    ollama,
    ports,
  );
  await choice.start();
  expect(ollama.supervisor.view().state).toBe('absent');
  isSlow = true;
  await clock.advance(5000);
  path = 'ollama';
  const relocated = choice.relocate();
  answer();
  await relocated;
  while (spawner.children.length === 0) await new Promise((resolve) => setImmediate(resolve));
  while (ollama.supervisor.view().state === 'starting') await clock.advance(500);
  expect(ollama.supervisor.view().state).toBe('ready');
  await choice.stop();
});

test('a caller that waits for ours during the shutdown gets an error', async () => {
  const { ollama, ports } = managed(new ScriptedOllama(), foundOnce());
  const choice = new ServerChoice(
    choiceOptions([], () => nobody().api),
    ollama,
    ports,
  );
  await choice.start();
  await settle();
  const waits = expect(choice.ensureReady()).rejects.toMatchObject({ code: 'ollama_down' });
  await choice.stop();
  await waits;
});

/** The backend without a foreign server, and a way to answer its searches for the program. */
function alone() {
  const looks: ((located: Located) => void)[] = [];
  const made = managed(new ScriptedOllama(), () => new Promise((resolve) => looks.push(resolve)));
  const options = choiceOptions([], () => nobody().api);
  const choice = new ServerChoice(options, made.ollama, made.ports);
  const found = (located: Located = FOUND) => {
    for (const resolve of looks.splice(0)) resolve(located);
    return settle();
  };
  return { ...made, choice, found };
}

test('a program search that ends after the stop starts nothing', async () => {
  for (const begins of ['start', 'relocate', 'restart'] as const) {
    const { choice, ollama, spawner, found } = alone();
    const started = choice.start();
    await settle();
    if (begins !== 'start') {
      await found({ absent: { code: 'setup', cure: 'wait' } });
      await started;
      void choice[begins]();
      await settle();
    }
    await choice.stop();
    await found();
    await clock.advance(10_000);
    expect(spawner.children).toHaveLength(0);
    expect(ollama.supervisor.view().state).toBe('stopped');
    await expect(choice.ensureReady()).rejects.toMatchObject({ code: 'ollama_down' });
    await choice.relocate();
    expect(ollama.supervisor.view().state).toBe('stopped');
  }
});

test('one whose program is removed returns with the next set-up', async () => {
  const made = alone();
  const { choice, ollama, spawner, found } = made;
  void choice.start();
  await settle();
  await found();
  const spawned = async (count: number) => {
    while (spawner.children.length < count) {
      await found();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await records.settled();
  };
  await spawned(1);
  const removed = { absent: { code: 'runtime_removed', cure: 'Set it up again.' } };
  const released = choice.release();
  await settle();
  await found(removed);
  await released;
  expect(ollama.supervisor.view()).toMatchObject({ state: 'absent', pid: null });
  expect(ollama.absence).toMatchObject({ code: 'runtime_removed' });
  const absent = expect(choice.ensureReady()).rejects.toMatchObject({ code: 'backend_absent' });
  await settle();
  await found(removed);
  await absent;
  void choice.relocate();
  await settle();
  await spawned(2);
  while (ollama.supervisor.view().state === 'starting') await clock.advance(500);
  expect(ollama.supervisor.view()).toMatchObject({ state: 'ready' });
  await choice.stop();
});

test.each<[string, Way[], number]>([
  ['once', [SILENCE], 2],
  ['again', [SILENCE, SILENCE], 2],
])('a lost probe of a model %s does not block the other models of the server', async (_name, ways, tries) => {
  const server = new ScriptedOllama(...ways);
  server.facts = { version: '0.24.0', capabilities: ['completion'] };
  server.loaded = [{ name: 'small', size: 1000 }];
  const made = managed(server, async () => FOUND);
  const { ollama } = made;
  await startUp(made);
  while (ollama.supervisor.view().state === 'starting') await clock.advance(500);
  expect(ollama.supervisor.view()).toMatchObject({ state: 'ready', restarts: 0 });
  expect(server.asked).toHaveLength(tries);
  await ollama.supervisor.stop();
});

test('a server that falls silent during the probe is killed and restarted soon', async () => {
  const server = new ScriptedOllama(SILENCE);
  server.facts = { version: '0.24.0', capabilities: ['completion'] };
  server.loaded = [{ name: 'small', size: 1000 }];
  const made = managed(server, async () => FOUND);
  const { ollama } = made;
  await startUp(made);
  while (server.asked.length === 0) await clock.advance(100);
  server.silent = ['/api/version'];
  await clock.advance(66_000);
  expect(ollama.supervisor.view().state).toBe('backoff');
  await ollama.supervisor.stop();
});

test.each<[string, Way[], number, 'closed' | 'half_open']>([
  ['there is no model that is small enough to ask', [], 1e9, 'half_open'],
  ['a model of 98 MB has answered', [ANSWER, ANSWER], 98_362_432, 'closed'],
  ['the small model has not answered', [ANSWER, SILENCE, SILENCE], 1000, 'half_open'],
])('where %s a trial of the breaker ends as it should', async (_name, ways, size, breaker) => {
  const server = new ScriptedOllama(...ways);
  server.facts = { version: '0.24.0', capabilities: ['completion'] };
  server.loaded = [{ name: 'm', size }];
  const made = managed(server, async () => FOUND, { maxRestarts: 0 });
  const { spawner } = made;
  const { supervisor } = made.ollama;
  await startUp(made);
  while (supervisor.view().state === 'starting') await clock.advance(500);
  spawner.last.exit(1);
  await settle();
  expect(supervisor.view()).toMatchObject({ state: 'open', breaker: { state: 'open' } });
  while (supervisor.view().state === 'open') await clock.advance(500);
  await spawned(made, 2);
  while (supervisor.view().state !== 'ready') await clock.advance(500);
  expect(spawner.children).toHaveLength(2);
  expect(supervisor.view().breaker.state).toBe(breaker);
  await supervisor.stop();
});

/** The first search finds the program; later ones throw, so that no start succeeds. */
function foundOnce(): Locate {
  let looks = 0;
  return async () => {
    looks += 1;
    if (looks > 1) throw new Error('no');
    return FOUND;
  };
}

/** No server listens. */
function nobody(): ScriptedOllama {
  const server = new ScriptedOllama();
  server.api.version = () => Promise.reject(new TandemError('ollama_down', 'nobody'));
  return server;
}
