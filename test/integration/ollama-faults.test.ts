import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { OllamaApi } from '../../src/main/backends/dialects/ollama/ollama-api';
import { ollamaLaunchSpec } from '../../src/main/backends/ollama/launch-spec';
import type { OllamaBackend } from '../../src/main/backends/ollama/ollama-backend';
import { systemClock } from '../../src/main/ports/clock';
import { freePort } from '../../src/main/ports/free-port';
import { silentLogger } from '../../src/main/ports/logger';
import { nodeSpawner } from '../../src/main/ports/node-spawner';
import { ProcessFamily } from '../../src/main/supervisor/process-family';
import { ChildRecords, sweepOrphans } from '../../src/main/supervisor/sweep';
import { startForeignOllama } from '../support/foreign-ollama';
import { babble, collect, never, OwnOllama, until } from '../support/own-ollama';
import { signalAll } from '../support/processes';
import { ollamaProgram } from '../support/runtimes';

/** A real Ollama of ours whose processes are killed or stopped, whose queue is full, whose log cannot be written. */

/** A model process that a test stops is left alone, however slow the machine is. */
const PATIENT = { stallMs: () => 600_000, noRunnerMs: 600_000, silentMs: 600_000 };
/** Short, so that a silence is judged within the test; the shipped values are in `stream-limits.ts`. */
const QUICK = { stallMs: () => 3000, noRunnerMs: 1000, lookEveryMs: 100 };

let own: OwnOllama;

beforeAll(async () => {
  own = await OwnOllama.make();
});
afterEach(() => own.stopAll());
afterAll(() => own.remove());

/** A server's model processes, as soon as there is one. */
async function firstRunner(backend: OllamaBackend): Promise<number[]> {
  const limit = performance.now() + 60_000;
  for (;;) {
    const runners = await own.runners(backend);
    if (runners.length > 0) return runners;
    if (performance.now() > limit)
      throw new Error(`no runner: ${JSON.stringify(backend.loaded())}\n${log()}`);
    await sleep(1);
  }
}

const log = () => readFileSync(join(own.folder, 'ollama.log'), 'utf8').slice(-8_000);

/** Resolves when none of these processes lives; its parent reaps a killed one a moment later. */
async function ended(pids: readonly number[]): Promise<void> {
  while (!(await gone(pids))) await sleep(20);
}

async function gone(pids: readonly number[]): Promise<boolean> {
  const left = await Promise.all(pids.map((pid) => own.table.identify(pid)));
  return left.every((identity) => identity === null);
}

describe('a model process', () => {
  test('killed within milliseconds of its spawn, repeatedly: no load is lost, none blocks another', async () => {
    const backend = await own.ready({ stream: QUICK });
    const { pid } = backend.status();
    const causes: unknown[] = [];
    for (let round = 0; round < 6; round += 1) {
      const answer = collect(backend.stream(babble(3, round % 2 === 0 ? 'slow' : 'tiny'), never));
      const outcome = answer.then(
        (chunks) => chunks.at(-1)?.type,
        (error) => error.details.cause,
      );
      const runners = await firstRunner(backend);
      await sleep(round * 3);
      signalAll(runners, 'SIGKILL');
      causes.push(await outcome);
      signalAll(await own.runners(backend), 'SIGKILL');
    }
    // A process that got as far as computing may have died from the request, which the router judges.
    expect(causes.filter((cause) => cause !== 'end' && cause !== 'runner-died')).toEqual([]);
    expect((await collect(backend.stream(babble(3), never))).at(-1)?.type).toBe('end');
    expect(backend.status()).toMatchObject({ state: 'ready', pid, restarts: 0 });
  });

  test('stopped before the first token: it is killed, and the next one answers the request', async () => {
    const backend = await own.ready({ stream: QUICK });
    const { pid } = backend.status();
    const answer = collect(backend.stream(babble(3), never));
    const stopped = await firstRunner(backend);
    signalAll(stopped, 'SIGSTOP');
    expect((await answer).at(-1)).toMatchObject({ type: 'end', end: { completionTokens: 3 } });
    await ended(stopped);
    expect(backend.status()).toMatchObject({ state: 'ready', pid, restarts: 0 });
  });

  test('stopped in the middle of an answer: the answer fails, its slot is free again', async () => {
    const backend = await own.ready({ stream: QUICK });
    let stopped: number[] = [];
    const answer = async () => {
      for await (const chunk of backend.stream(babble(900), never)) {
        if (chunk.type !== 'text' || stopped.length > 0) continue;
        stopped = await own.runners(backend);
        signalAll(stopped, 'SIGSTOP');
      }
    };
    await expect(answer()).rejects.toMatchObject({ code: 'backend_failed', details: { cause: 'stalled' } });
    await ended(stopped);
    expect((await collect(backend.stream(babble(3), never))).at(-1)?.type).toBe('end');
    expect(backend.status()).toMatchObject({ restarts: 0, hangLimits: { stepMs: 3000, learned: false } });
  });

  test('that computes a long prompt is no hang', async () => {
    const backend = await own.ready({ stream: { ...QUICK, loadTimeoutMs: () => 1000, prefillMs: () => 0 } });
    const prompt = 'the quick brown fox '.repeat(8);
    const answer = await collect(backend.stream(babble(3, 'slow', prompt), never));
    expect(answer.at(-1)).toMatchObject({ type: 'end', end: { completionTokens: 3 } });
  });
});

/** Status of a request; null if it has not answered after 200 ms and is aborted. */
const ask = (url: string, body: string) =>
  fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(200) }).then(
    ({ status }) => status,
    () => null,
  );

describe('the server', () => {
  test.each(['before the first token', 'in the middle of an answer'])(
    'stopped %s: it is found out, ended and started again',
    async (moment) => {
      const backend = await own.ready({ stream: QUICK });
      const { pid } = backend.status();
      const answer = async () => {
        if (moment === 'before the first token') signalAll([pid ?? 0], 'SIGSTOP');
        // Its model process computes the rest of the answer, and is busy until then.
        for await (const chunk of backend.stream(babble(900), never)) {
          if (chunk.type === 'text') signalAll([pid ?? 0], 'SIGSTOP');
        }
      };
      const family = [pid ?? 0, ...(await own.runners(backend))];
      await expect(answer()).rejects.toMatchObject({ code: 'ollama_down' });
      await backend.ensureReady();
      expect((await collect(backend.stream(babble(3), never))).at(-1)?.type).toBe('end');
      expect(backend.status()).toMatchObject({ state: 'ready', restarts: 1, lastError: { outside: true } });
      expect(backend.status().pid).not.toBe(pid);
      await ended(family);
    },
  );

  test('killed with its model process stopped: neither is left, the next one answers', async () => {
    const backend = await own.ready();
    const { pid } = backend.status();
    let family: number[] = [];
    const answer = async () => {
      for await (const chunk of backend.stream(babble(900), never)) {
        if (chunk.type !== 'text' || family.length > 0) continue;
        const runners = await own.runners(backend);
        family = [pid ?? 0, ...runners];
        signalAll(runners, 'SIGSTOP');
        signalAll([pid ?? 0], 'SIGKILL');
      }
    };
    await expect(answer()).rejects.toMatchObject({ code: 'backend_failed' });
    await backend.ensureReady();
    expect((await collect(backend.stream(babble(3), never))).at(-1)?.type).toBe('end');
    expect(backend.status()).toMatchObject({ state: 'ready', restarts: 1 });
    expect(family.length).toBeGreaterThan(1);
    await ended(family);
  });

  test('killed from outside leaves a model process, which the next instance sweeps by pid and start time', async () => {
    const port = await freePort();
    const spec = ollamaLaunchSpec(ollamaProgram(), own.environment(), join(own.folder, 'orphan.log'), port);
    const server = nodeSpawner.spawn(spec);
    onTestFinished(() => server.kill('SIGKILL'));
    const { fetcher, post } = own.http;
    const api = new OllamaApi({ url: `http://127.0.0.1:${port}`, fetcher, post, instanceId: 'test' });
    while (!(await api.version(never).catch(() => null))) await sleep(20);
    await collect(api.complete({ path: '/api/chat', body: { model: 'tiny', messages: [] } }, never));
    const runners = await own.table.descendants(server.pid ?? 0);
    expect(runners.length).toBe(1);

    const file = join(own.folder, 'orphans.json');
    const ports = { table: own.table, clock: systemClock, logger: silentLogger };
    const family = new ProcessFamily('ollama', { ...ports, records: new ChildRecords(file) });
    await family.record(server, () => true);
    signalAll([server.pid ?? 0], 'SIGKILL');
    await server.exited;
    expect(await gone(runners)).toBe(false);
    expect(await sweepOrphans(new ChildRecords(file), ports)).toBe(1);
    await ended(runners);
  });

  test('with a full queue is retried until it has a place', async () => {
    const env = { ...own.environment(), OLLAMA_MAX_QUEUE: '1', OLLAMA_MAX_LOADED_MODELS: '1' };
    const backend = await own.ready({ env, stream: PATIENT });
    const api = backend.status().url ?? '';
    const long = backend.stream(babble(200), never)[Symbol.asyncIterator]();
    await long.next();
    // The model process is stopped, so that its answer cannot end before the full queue was observed.
    const runners = await own.runners(backend);
    signalAll(runners, 'SIGSTOP');
    const others = Array.from({ length: 5 }, () => collect(backend.stream(babble(2, 'tiny'), never)));
    const ends = Promise.allSettled(others);
    try {
      // Without the app in between, it rejects requests now.
      const body = JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'hi' }] });
      while ((await ask(`${api}/api/chat`, body)) !== 503) await sleep(20);
    } finally {
      signalAll(runners, 'SIGCONT');
    }
    await collect({ [Symbol.asyncIterator]: () => long });
    for (const end of await ends) expect(end).toMatchObject({ status: 'fulfilled' });
    for (const answer of await Promise.all(others)) expect(answer.at(-1)?.type).toBe('end');
  });

  test('whose queue stays full causes an error with a retry time', async () => {
    const env = { ...own.environment(), OLLAMA_MAX_QUEUE: '1', OLLAMA_MAX_LOADED_MODELS: '1' };
    const backend = await own.ready({ env, stream: PATIENT });
    const api = backend.status().url ?? '';
    const leave = new AbortController();
    const running = backend.stream(babble(900), leave.signal)[Symbol.asyncIterator]();
    await running.next();
    const runners = await own.runners(backend);
    signalAll(runners, 'SIGSTOP');
    const waiting = Array.from({ length: 4 }, () => collect(backend.stream(babble(2, 'tiny'), leave.signal)));
    const ends = Promise.allSettled(waiting);
    try {
      const body = JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'hi' }] });
      while ((await ask(`${api}/api/chat`, body)) !== 503) await sleep(20);
      const turnedAway = collect(backend.stream({ ...babble(2, 'tiny'), timeoutMs: 1000 }, never));
      await expect(turnedAway).rejects.toMatchObject({ code: 'queue_full', retryAfterS: 10 });
    } finally {
      leave.abort();
      signalAll(runners, 'SIGCONT');
    }
    for (const end of await ends) expect(end).toMatchObject({ reason: { code: 'cancelled' } });
  });
});

describe('its log', () => {
  test('that cannot be written causes a warning, and the server starts', async () => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (event: string) => void warnings.push(event) };
    await writeFile(join(own.folder, 'a-file'), '');
    const backend = await own.ready({ logFile: join(own.folder, 'a-file', 'ollama.log') }, logger);
    expect((await collect(backend.stream(babble(3, 'tiny'), never))).at(-1)?.type).toBe('end');
    expect(warnings).toContain('ollama.no-log');
  });

  test('deleted while it runs does not affect the server, and exists again after the next start', async () => {
    const backend = await own.ready();
    await rm(join(own.folder, 'ollama.log'));
    expect((await collect(backend.stream(babble(3, 'tiny'), never))).at(-1)?.type).toBe('end');
    await backend.restart('test');
    expect((await collect(backend.stream(babble(3, 'tiny'), never))).at(-1)?.type).toBe('end');
  });
});

describe('memory', () => {
  test('reports what is loaded, for whom and how large, and frees it', async () => {
    const backend = await own.ready();
    await collect(backend.stream(babble(3), never));
    while (!backend.loaded().some(({ ready }) => ready)) await sleep(20);
    expect(backend.loaded()).toMatchObject([
      { name: 'slow', ours: true, active: 0, ready: true, size: { source: 'api/ps' } },
    ]);
    expect(backend.loaded()[0]?.size.bytes).toBeGreaterThan(1_000_000);
    await expect
      .poll(() => backend.figures().process.bytes ?? 0, { timeout: 60_000 })
      .toBeGreaterThan(10_000_000);
    const runners = await firstRunner(backend);
    expect(runners.length).toBe(1);
    await backend.unload('slow', never);
    expect(backend.loaded()).toEqual([]);
    await expect.poll(() => gone(runners), { timeout: 10_000 }).toBe(true);
  });

  test('a cancelled prompt is shown as draining until its computation has ended', async () => {
    const backend = await own.ready();
    await collect(backend.stream(babble(1), never));
    const used = async () => {
      const runners = await own.runners(backend);
      const ms = await Promise.all(runners.map((pid) => own.table.cpuMs(pid)));
      return ms.reduce<number>((sum, each) => sum + (each ?? 0), 0);
    };
    const cancel = new AbortController();
    const prompt = 'abcdefghij '.repeat(80);
    const begin = await used();
    const answer = collect(backend.stream(babble(5, 'slow', prompt), cancel.signal));
    while ((await used()) <= begin + 40) await sleep(5);
    cancel.abort();
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' });
    expect(backend.status()).toMatchObject({ state: 'busy', stage: 'draining', draining: 1 });
    await backend.drained();
    expect(backend.status()).toMatchObject({ state: 'ready', draining: 0 });
    const before = await used();
    await sleep(300);
    expect((await used()) - before).toBeLessThan(150);
  });
});

test('Ollama.app that kills ours and takes the port is used, not fought, and replaced when it exits', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const backend = await own.ready({ candidates: [url] });
  const pid = backend.status().pid ?? 0;
  const app = await startForeignOllama(join(own.folder, 'app'), port);
  onTestFinished(() => app.stop());
  signalAll([pid], 'SIGTERM');
  await until(backend, ({ state }) => state === 'adopted');
  expect(backend.status()).toMatchObject({ ownership: 'adopted', url, pid: null });
  await sleep(600);
  expect(backend.status()).toMatchObject({ ownership: 'adopted', url });
  expect(await gone([pid])).toBe(true);
  await app.stop();
  await until(backend, ({ state, ownership }) => state === 'ready' && ownership === 'managed');
  expect(backend.status().lastError?.code).toBe('vanished');
});
