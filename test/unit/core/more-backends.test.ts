import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BackendRow } from '../../../src/main/core/backend-rows';
import type { Category } from '../../../src/shared/domain';
import type { Settings } from '../../../src/shared/settings';
import type { BackendStatus } from '../../../src/shared/status';
import { coreFixture, UI } from '../../support/core-fixture';
import type { FakeClock } from '../../support/fake-clock';
import { model, ScriptedBackend, says } from '../../support/scripted-backend';
import { ScriptedOllama } from '../../support/scripted-ollama';

const GIB = 1024 ** 3;
const MEMORY = { total: 64 * GIB, available: 40 * GIB };
const STUDIO = { id: 'studio', kind: 'ollama', role: 'heavy', title: 'Studio', maxConcurrent: 1 } as const;

/** A running core with `qwen2.5-coder:7b` in its Ollama, and an Ollama `studio` with the same model and `mistral:7b`. */
async function withStudio(
  url: string,
  more: { models?: Partial<Record<Category, string>> } = {},
  settings: Partial<Settings> = {},
) {
  const studio = new ScriptedOllama();
  const listed = (name: string) => ({ name, size: 5e9, details: { parameter_size: '7B' } });
  studio.facts = { version: '0.34.0', models: [listed('qwen2.5-coder:7b'), listed('mistral:7b')] };
  const { host } = new URL(url);
  const values = { moreBackends: [{ ...STUDIO, ...more, url }], ...settings };
  const fixture = await coreFixture({}, { values, servers: { [host]: studio }, memory: MEMORY });
  fixture.ollama.facts = { ...fixture.ollama.facts, models: [listed('qwen2.5-coder:7b')] };
  await fixture.core.start();
  await fixture.until(({ models }) => models.some(({ name }) => name === 'mistral:7b'));
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
  return {
    status: answer.status,
    backend: header('backend'),
    model: header('model'),
    reasons: header('reasons'),
  };
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

  it('is in use, whichever of the two servers of every run is switched off', async () => {
    const { core } = await withStudio(far, {}, { useBackends: 'mlx' });
    expect(await ask(core.addresses().gateway, 'mistral:7b')).toMatchObject({
      ...{ status: 200, backend: 'studio' },
    });
  });

  it('uses the model that its row names for a category', async () => {
    const { core } = await withStudio(far, { models: { coding: 'mistral:7b' } });
    expect(await ask(core.addresses().gateway, 'studio/auto')).toMatchObject({ model: 'mistral:7b' });
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
  ['an id that means something else', { ...STUDIO, id: 'model', url: 'http://studio.local' }],
  ['no address', { ...STUDIO, url: 'studio' }],
  ['the role of a cloud', { ...STUDIO, role: 'cloud', url: 'https://cloud.example' }],
  ['a kind without an adapter', { ...STUDIO, kind: 'unknown', url: 'http://studio.local' }],
])('a row with %s is named at the start and left out; the others are used', async (_what, row) => {
  const good = { ...STUDIO, id: 'good', url: 'http://good.local' };
  const instances = async (moreBackends: unknown[]) => {
    const { core } = await coreFixture({}, { values: { moreBackends: moreBackends as [] } });
    const { snapshot } = await core.handlers.snapshot({}, UI);
    expect(snapshot.warnings).toMatchObject([
      { code: 'setting_invalid', details: { name: 'moreBackends', entry: expect.stringContaining(row.id) } },
    ]);
    return snapshot.instances.map(({ id }) => id);
  };
  expect(await instances([row])).toEqual(['mlx', 'ollama']);
  expect(await instances([row, good])).toEqual(['mlx', 'ollama', 'good']);
});

it('names the roles and the kinds that a row may have', async () => {
  const rows = [
    { ...STUDIO, role: 'cloud', url: 'https://cloud.example' },
    { ...STUDIO, id: 'b', kind: 'unknown', url: 'http://studio.local' },
  ];
  const { core } = await coreFixture({}, { values: { moreBackends: rows as [] } });
  const { warnings } = (await core.handlers.snapshot({}, UI)).snapshot;
  expect(warnings.map(({ message }) => message)).toEqual([
    expect.stringContaining('role (light or heavy)'),
    expect.stringContaining('Accepted kinds: mlx, ollama, openai.'),
  ]);
});

it('a row of the kind mlx is a server at its address, never a second one of ours', async () => {
  const row = { ...STUDIO, kind: 'mlx', url: 'http://studio.local:8080' };
  const studio = new ScriptedOllama();
  studio.facts = { version: '0.34.0', models: [] };
  const { core, until, spawner } = await coreFixture(
    {},
    { values: { moreBackends: [row] }, servers: { 'studio.local:8080': studio } },
  );
  await core.start();
  const { backends } = await until((state) => state.backends.at(-1)?.state === 'adopted');
  expect(backends.at(-1)).toMatchObject({ id: 'studio', ownership: 'remote', url: row.url, pid: null });
  expect(spawner.specs.filter(({ args }) => args.join(' ').includes('launch.py'))).toEqual([]);
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
