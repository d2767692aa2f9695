import { mkdir, mkdtemp, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ModelTimes } from '../../src/shared/status';
import { type App, ask, PATIENCE_MS, startApp } from '../support/app';
import { type ContractClient, connect } from '../support/contract-client';
import { TINY, writeRandomModel } from '../support/random-model';

/** A model that the user has put into their own folder. */
const NAME = 'someone/Small-1B-Instruct';
/** More than any machine has in memory; on disk they take no space. */
const HUGE_BYTES = 1e12;
const WAIT = { timeout: PATIENCE_MS, interval: 100 };

describe('found models and their times', () => {
  let folder: string;
  let models: string;
  let app: App;
  let ui: ContractClient;

  const start = async () => {
    app = await startApp({ dataDir: join(folder, 'data') });
    ui = await connect(app.ready.web);
  };
  const timesOf = async (name: string): Promise<ModelTimes | undefined> =>
    (await ui.snapshot()).times.find((times) => times.backend === 'mlx' && times.name === name);
  const found = async (name: string) =>
    (await ui.snapshot()).models.find((model) => model.backend === 'mlx' && model.name === name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tandem-models-'));
    models = join(folder, 'models');
    await mkdir(join(folder, 'data'));
    await mkdir(models);
    await writeRandomModel(join(models, NAME), TINY);
    await writeFile(
      join(folder, 'data', 'settings.json'),
      JSON.stringify({ version: 1, values: { modelFolders: [models] } }),
    );
    await start();
  });
  afterAll(async () => {
    await app?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('shows a model of the user’s folder with its known facts', async () => {
    expect(await found(NAME)).toMatchObject({
      weight: 'light',
      fit: 'yes',
      contextLength: 2048,
      capabilities: ['completion'],
      broken: null,
    });
    // It is the best light model here, so it was loaded at start.
    expect(await timesOf(NAME)).toMatchObject({ source: 'measured', samples: 1, per1kS: 5 });
  });

  it('notices at once a model that is added while it runs, even before it is complete', async () => {
    const late = join(models, 'Late-1B');
    await writeRandomModel(late, TINY);
    await rename(join(late, 'model.safetensors'), join(folder, 'held-back'));
    await vi.waitFor(async () => {
      expect(await found('Late-1B')).toMatchObject({ broken: 'weights_missing:model.safetensors' });
    }, WAIT);
    await rename(join(folder, 'held-back'), join(late, 'model.safetensors'));
    await vi.waitFor(async () => {
      const { warnings, models } = await ui.snapshot();
      expect(warnings.filter(({ code }) => code === 'model_incomplete')).toEqual([]);
      expect(models.filter(({ broken }) => broken !== null)).toEqual([]);
      expect(models.map(({ name }) => name)).toContain('Late-1B');
    }, WAIT);
    expect(await timesOf('Late-1B')).toMatchObject({ loadS: 10, per1kS: 5, source: 'size', samples: 0 });
  });

  it('knows the memory that a model needs, although it first saw its folder without weights', async () => {
    const name = 'Huge-3B';
    const strictly = { model: `mlx/${name}`, headers: { 'x-tandem-strict': 'true' } };
    await writeRandomModel(join(models, name), TINY);
    const weights = join(models, name, 'model.safetensors');
    await rm(weights);
    await vi.waitFor(async () => {
      expect(await found(name)).toMatchObject({ broken: 'weights_missing:model.safetensors' });
    }, WAIT);
    expect(await ask(app.ready.gateway, 'hello', strictly)).toMatchObject({ code: 'model_not_found' });
    const header = headerOf(HUGE_BYTES);
    await writeFile(weights, header);
    await truncate(weights, header.length + HUGE_BYTES);
    await vi.waitFor(async () => expect(await found(name)).toMatchObject({ broken: null }), WAIT);
    const refused = await ask(app.ready.gateway, 'hello', strictly);
    expect(refused).toMatchObject({ status: 503, code: 'memory_critical' });
    // Only the files themselves say how large the largest array is.
    expect(refused.reasons).toContain('memory:buffer-limit');
    await rm(join(models, name), { recursive: true });
  });

  it('learns from an answer, stores it privately, and knows it after a restart', async () => {
    const answer = await fetch(`${app.ready.gateway}/api/generate`, {
      method: 'POST',
      headers: { 'x-tandem-strict': 'true' },
      body: JSON.stringify({
        model: `mlx/${NAME}`,
        prompt: 'hello',
        raw: true,
        stream: false,
        options: { num_predict: 64, temperature: 1, seed: 1 },
      }),
    });
    expect(answer.status, await answer.text()).toBe(200);
    await vi.waitFor(async () => expect((await timesOf(NAME))?.samples).toBeGreaterThan(1), WAIT);
    const before = await timesOf(NAME);

    const { code } = await app.stop();
    expect(code).toBe(0);
    const file = join(folder, 'data', 'model-times.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await start();
    const after = await timesOf(NAME);
    expect(after).toMatchObject({ source: 'measured', samples: before?.samples });
    expect(after?.loadS).toBeCloseTo(before?.loadS ?? 0, 2);
  });
});

/** The beginning of a weights file with one array. */
function headerOf(bytes: number): Buffer {
  const header = Buffer.from(
    JSON.stringify({ all: { dtype: 'U8', shape: [bytes], data_offsets: [0, bytes] } }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header]);
}
