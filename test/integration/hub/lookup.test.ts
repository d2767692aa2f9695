import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ModelLookup } from '../../../src/main/models/downloads/model-lookup';
import { systemClock } from '../../../src/main/ports/clock';
import { fitPlaceOf } from '../../support/fit-place';
import { HUB_SCRIPT, hubFixture, never, randomModelFiles } from '../../support/hub-fixture';
import { HubServer } from '../../support/hub-server';
import { TINY } from '../../support/random-model';
import { mlxPython } from '../../support/runtimes';

/** What a repository stands for, asked with the real client before its download. */

const NAME = 'org/Random-0.1B';
let hub: HubServer;
let files: Record<string, Buffer>;
/** config.json of the model, with changes. */
const config = (changes: object) => ({
  'config.json': Buffer.from(JSON.stringify({ ...JSON.parse(String(files['config.json'])), ...changes })),
});
const without = (name: string) => Object.fromEntries(Object.entries(files).filter(([file]) => file !== name));

beforeAll(async () => {
  hub = await new HubServer().listen();
  files = await randomModelFiles(TINY);
});
beforeEach(() => {
  hub.requests.length = 0;
  hub.repos[NAME] = { files };
});
afterAll(() => hub?.close());

it('reports size, parameters, context, licence and fit, and writes nothing', async () => {
  hub.repos[NAME] = { files: { ...files, 'README.md': Buffer.alloc(5_000) }, licence: 'apache-2.0' };
  const { source, cache } = await hubFixture(hub);
  const look = (gib: number, models: string[] = []) =>
    new ModelLookup({
      sources: new Map([['mlx', source]]),
      models: () => models.map((name) => ({ backend: 'mlx', name }) as never),
      place: () => fitPlaceOf(gib),
      clock: systemClock,
    }).find({ backend: 'mlx', name: NAME });
  expect(await look(16)).toEqual({
    backend: 'mlx',
    name: NAME,
    sizeBytes: Object.values(files).reduce((sum, { length }) => sum + length, 0),
    billions: 0.1,
    contextLength: 2048,
    licence: 'apache-2.0',
    fit: 'yes',
    gated: false,
    refused: null,
    installed: false,
  });
  expect(await look(1.9, [NAME])).toMatchObject({ fit: 'no', installed: true });
  expect(hub.starts()).toEqual([]);
  expect(existsSync(cache)).toBe(false);
});

it("knows mlx-lm's own table of architectures", () => {
  const architecture = (model_type: unknown, architectures: string[] = []) => ({ model_type, architectures });
  const cases: [object, boolean | null][] = [
    [architecture('llama'), true],
    // Some run as another one, or by their class.
    [architecture('mistral'), true],
    [architecture('bailing_hybrid', ['BailingMoeV3ForCausalLM']), true],
    [architecture('lfm2-vl'), true],
    [architecture('martian'), false],
    // A part of models, and a path.
    [architecture('rope_utils'), false],
    [architecture('../utils'), false],
    [architecture(7), null],
  ];
  const script = `import json, sys; sys.path.insert(0, sys.argv[1]); import hub_repo
print(json.dumps([hub_repo.has_architecture(config) for config in json.loads(sys.argv[2])]))`;
  const configs = JSON.stringify(cases.map(([config]) => config));
  const answer = execFileSync(mlxPython(), ['-B', '-c', script, dirname(HUB_SCRIPT), configs], {
    encoding: 'utf8',
  });
  expect(JSON.parse(answer)).toEqual(cases.map(([, runs]) => runs));
});

it('says why MLX cannot run it', async () => {
  const withInfinity = `${String(files['config.json']).trim().slice(0, -1)}, "x": [0.0, Infinity]}`;
  const cases: [Record<string, Buffer>, string | null][] = [
    [{ ...files, ...config({ model_type: 'martian' }) }, 'unknown_architecture:martian'],
    [{ ...files, ...config({ architectures: ['BertModel'] }) }, 'not_mlx'],
    [without('config.json'), 'not_mlx'],
    [{ ...without('model.safetensors'), 'weights.npz': Buffer.alloc(9) }, 'no_safetensors'],
    [{ ...files, 'config.json': Buffer.from(withInfinity) }, null],
  ];
  const { source } = await hubFixture(hub);
  for (const [some, refused] of cases) {
    hub.repos[NAME] = { files: some };
    expect((await source.lookUp(NAME, never)).refused).toBe(refused);
  }
});

it('of a gated one tells what the hub shows without a token, and all with one', async () => {
  let token: string | null = null;
  const { source } = await hubFixture(hub, { token: async () => token });
  hub.repos[NAME] = { files, gated: true, config: { model_type: 'martian' } };
  expect(await source.lookUp(NAME, never)).toMatchObject({
    gated: true,
    refused: 'unknown_architecture:martian',
    contextLength: null,
  });
  hub.repos[NAME] = { files, gated: true };
  expect(await source.lookUp(NAME, never)).toMatchObject({ gated: true, refused: null });
  token = hub.token;
  expect(await source.lookUp(NAME, never)).toMatchObject({ gated: false, contextLength: 2048 });
  await expect(source.lookUp('org/nothing', never)).rejects.toMatchObject({ code: 'model_not_found' });
});

it('ends with its process when nobody waits any more', async () => {
  const { source, spawner } = await hubFixture(hub);
  const looking = new AbortController();
  const looked = source.lookUp(NAME, looking.signal);
  await Promise.resolve();
  looking.abort(new Error('gone'));
  await expect(looked).rejects.toThrow('gone');
  expect(await spawner.last.exited).toMatchObject({ signal: 'SIGKILL' });
});
