import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BackendRow } from '../../../src/main/core/backend-rows';
import type { BackendStatus } from '../../../src/shared/status';
import { coreFixture, UI } from '../../support/core-fixture';
import type { FakeClock } from '../../support/fake-clock';
import { model, ScriptedBackend, says } from '../../support/scripted-backend';
import { ScriptedOllama } from '../../support/scripted-ollama';

const GIB = 1024 ** 3;
const MEMORY = { total: 64 * GIB, available: 40 * GIB };
const STUDIO = { id: 'studio', kind: 'ollama', role: 'heavy', title: 'Studio', maxConcurrent: 1 } as const;

/** A running core with `qwen2.5-coder:7b` in its Ollama, and an Ollama `studio` with the same model and `mistral:7b`. */
async function withStudio(url: string) {
  const studio = new ScriptedOllama();
  const listed = (name: string) => ({ name, size: 5e9, details: { parameter_size: '7B' } });
  studio.facts = { version: '0.34.0', models: [listed('qwen2.5-coder:7b'), listed('mistral:7b')] };
  const { host } = new URL(url);
  const values = { moreBackends: [{ ...STUDIO, url }] };
  const fixture = await coreFixture({}, { values, servers: { [host]: studio }, memory: MEMORY });
  fixture.ollama.facts = { ...fixture.ollama.facts, models: [listed('qwen2.5-coder:7b')] };
  await fixture.core.start();
  await fixture.until(({ models }) => models.length === 3);
  return { ...fixture, studio };
}

/** A backend of a kind that the app does not know. */
class Double extends ScriptedBackend {
  constructor({ id, kind, role, title }: BackendRow, clock: FakeClock) {
    super(id, clock);
    Object.assign(this.instance, { kind, role, title });
  }

  override status(): BackendStatus {
    return { ...super.status(), model: 'own:7b', memoryBytes: 6 * GIB };
  }

  override async models() {
    return [model('double', 'own:7b', 7)];
  }
}

async function withDouble() {
  let double: Double | null = null;
  const row = { id: 'double', kind: 'of-the-test', role: 'heavy', title: 'Double' } as const;
  const fixture = await coreFixture(
    {},
    {
      values: { moreBackends: [{ ...row, url: 'http://127.0.0.1:9', maxConcurrent: 2 }] },
      adapters: {
        'of-the-test': (given, ports) => {
          double = new Double(given, ports.clock as FakeClock);
          return double;
        },
      },
      memory: MEMORY,
    },
  );
  const listed = ['phi3.5:3.8b', 'own:7b'].map((name) => ({ name, size: 2e9 }));
  fixture.ollama.facts = { ...fixture.ollama.facts, models: listed };
  await fixture.core.start();
  await fixture.until(({ models }) => models.length === 3);
  if (!double) throw new Error('the adapter was not called');
  return { ...fixture, double: double as Double };
}

async function ask(gateway: string | null, name: string, headers: Record<string, string> = {}) {
  const messages = [{ role: 'user', content: 'Write a Python function that merges two lists' }];
  const body = JSON.stringify({ model: name, messages, stream: false });
  const answer = await fetch(`${gateway}/api/chat`, { method: 'POST', body, headers });
  await answer.text();
  const header = (name: string) => answer.headers.get(`x-tandem-${name}`);
  return { status: answer.status, backend: header('backend'), reasons: header('reasons') };
}

const health = async (gateway: string | null) => (await fetch(`${gateway}/health`)).json();

describe('a second Ollama on another machine', () => {
  const far = 'http://192.0.2.7:11434';

  it('is shown, and answers what names it or its model', async () => {
    const { core, studio, until } = await withStudio(far);
    const { gateway, mlxApi } = core.addresses();
    const shown = await until(({ ledger }) => ledger !== null);
    expect(shown.instances.map(({ id, role }) => [id, role])).toEqual([
      ['mlx', 'light'],
      ['ollama', 'heavy'],
      ['studio', 'heavy'],
    ]);
    expect(shown.backends.at(-1)).toMatchObject({ id: 'studio', state: 'adopted', ownership: 'remote' });
    expect(shown.ledger?.entries.some(({ backend }) => backend === 'studio')).toBe(false);
    expect(await health(gateway)).toMatchObject({
      backends: { studio: { state: 'adopted', url: far } },
      memory: { mlx_bytes: null, ollama_bytes: null, studio_bytes: null },
    });
    expect(await ask(gateway, 'mistral:7b')).toMatchObject({ status: 200, backend: 'studio' });
    expect(await ask(gateway, 'studio/auto')).toMatchObject({ status: 200, backend: 'studio' });
    expect(studio.asked).toHaveLength(2);
    const listed = (await (await fetch(`${mlxApi}/api/tags`)).json()) as { models: unknown[] };
    expect(listed.models).toEqual([]);
    expect((await until(({ queue }) => queue.stats.done === 2)).queue.stats.by_backend.studio).toEqual({
      ...{ depth: 0, running: 0, draining: 0 },
    });
  });

  it('answers where the first one fails, and the first one where it fails', async () => {
    const { core, studio, ollama } = await withStudio(far);
    const { gateway } = core.addresses();
    ollama.ways.push({ status: 500, error: 'broken' });
    expect(await ask(gateway, 'auto')).toMatchObject({
      ...{ status: 200, backend: 'studio' },
      reasons: expect.stringContaining('fallback:ollama-failed'),
    });
    studio.ways.push({ status: 500, error: 'broken' });
    expect(await ask(gateway, 'studio/qwen2.5-coder:7b')).toMatchObject({
      ...{ status: 200, backend: 'ollama' },
      reasons: expect.stringContaining('fallback:studio-failed'),
    });
    const strict = { 'x-tandem-strict': 'true' };
    studio.ways.push({ status: 500, error: 'broken' });
    expect(await ask(gateway, 'studio/mistral:7b', strict)).toMatchObject({ status: 503 });
  });
});

it('counts the models of a second Ollama on this machine in the ledger', async () => {
  const { until } = await withStudio('http://127.0.0.1:11998');
  const { ledger, backends } = await until((state) =>
    (state.ledger?.entries ?? []).some(({ backend }) => backend === 'studio'),
  );
  expect(backends.at(-1)).toMatchObject({ id: 'studio', ownership: 'adopted' });
  expect(ledger?.entries.filter(({ backend }) => backend === 'studio')).toMatchObject([
    { kind: 'process', bytes: null },
    { kind: 'weights', name: 'qwen2.5-coder:7b', bytes: 5e9 },
    { kind: 'weights', name: 'mistral:7b', bytes: 5e9 },
  ]);
});

describe('a backend of a new kind', () => {
  it('is shown, counted in the ledger, and answers what names it', async () => {
    const { core, double, until } = await withDouble();
    const shown = await until(({ memory }) => memory !== null);
    expect(shown.instances.at(-1)).toEqual({
      ...{ id: 'double', kind: 'of-the-test', role: 'heavy', title: 'Double' },
    });
    expect(shown.memory?.backendBytes).toEqual({ mlx: null, ollama: null, double: 6 * GIB });
    expect(shown.ledger?.entries).toContainEqual(
      expect.objectContaining({ backend: 'double', kind: 'process', bytes: 6 * GIB }),
    );
    double.script = [() => says('from the double')];
    expect(await ask(core.addresses().gateway, 'double/own:7b')).toMatchObject({
      ...{ status: 200, backend: 'double' },
    });
  });

  it('answers where Ollama fails, and Ollama where its process dies', async () => {
    const { core, double, ollama } = await withDouble();
    const { gateway } = core.addresses();
    ollama.ways.push({ status: 500, error: 'broken' });
    expect(await ask(gateway, 'ollama/own:7b')).toMatchObject({ status: 200, backend: 'double' });
    double.script = [() => [{ type: 'die', cause: 'killed' }]];
    expect(await ask(gateway, 'double/own:7b')).toMatchObject({
      ...{ status: 200, backend: 'ollama' },
      reasons: expect.stringContaining('fallback:double-killed'),
    });
  });
});

it.each([
  ['an id that is taken', { ...STUDIO, id: 'mlx', url: 'http://studio.local' }],
  ['no address', { ...STUDIO, url: 'studio' }],
])('a row with %s is named at the start and left out', async (_what, row) => {
  const { core } = await coreFixture({}, { values: { moreBackends: [row] } });
  const { snapshot } = await core.handlers.snapshot({}, UI);
  expect(snapshot.warnings).toMatchObject([{ code: 'setting_invalid', details: { name: 'moreBackends' } }]);
  expect(snapshot.instances).toHaveLength(2);
});

it('reports a death of a backend that this run does not have', async () => {
  const { core, dataDir, until } = await coreFixture();
  const death = {
    ...{ id: 'a1', backend: 'gone', at: 1, cause: 'killed', evidence: [], exitCode: null, signal: 'SIGKILL' },
    ...{ uptimeMs: 1, model: null, inFlight: 0, restarts: 0, rung: null },
    memory: { pressure: 'normal', usedBytes: null, totalBytes: null, serverBytes: null },
    versions: { tandem: '1.0.0', server: null, system: 'test' },
  };
  await writeFile(join(dataDir, 'incidents.jsonl'), `${JSON.stringify(death)}\n`);
  await core.start();
  await until(({ life }) => life.length === 1);
  expect((await core.handlers.incidentReport({ id: 'a1' }, UI)).text).toContain(
    'gone was ended from outside',
  );
});

it('a row of a kind without an adapter is left out', async () => {
  const row = { ...STUDIO, kind: 'unknown', url: 'http://studio.local' };
  const { core } = await coreFixture({}, { values: { moreBackends: [row] } });
  expect((await core.handlers.snapshot({}, UI)).snapshot.instances).toHaveLength(2);
});
