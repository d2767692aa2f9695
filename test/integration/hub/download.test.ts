import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hubFixture, randomModelFiles } from '../../support/hub-fixture';
import { HubServer, sha256 } from '../../support/hub-server';
import { livingOf } from '../../support/processes';
import { SLOW } from '../../support/random-model';

/** Downloads with the real client of the hub in the managed runtime, from a hub of the test's own. */

const NAME = 'org/random-model';
const WEIGHTS = 'model.safetensors';
const NEW = 'b'.repeat(40);
let hub: HubServer;
let files: Record<string, Buffer>;
let weights: Buffer;

beforeAll(async () => {
  hub = await new HubServer().listen();
  files = await randomModelFiles(SLOW);
  weights = files[WEIGHTS] ?? Buffer.alloc(0);
});
beforeEach(() => {
  hub.fault = { kind: 'none' };
  hub.requests.length = 0;
  hub.repos[NAME] = { files };
});
afterAll(() => hub?.close());

const repoIn = (cache: string) => join(cache, 'models--org--random-model');

describe('a download', () => {
  it('takes what mlx-lm loads, into the standard cache, where the scan finds it', async () => {
    hub.repos[NAME] = {
      files: {
        ...files,
        'modeling_evil.py': Buffer.from('raise SystemExit'),
        'README.md': Buffer.from('# model'),
        'pytorch_model.bin': Buffer.alloc(30_000),
        'onnx/config.json': Buffer.from('{}'),
        '../../escape.json': Buffer.from('{}'),
        'consolidated.safetensors': Buffer.alloc(30_000),
        'chat_template.jinja': Buffer.from('{{ messages }}'),
      },
    };
    const { pull, cache, scan } = await hubFixture(hub);
    const seen: number[] = [];
    let total: number | null = null;
    await pull(NAME, (progress) => {
      seen.push(progress.completedBytes);
      total = progress.totalBytes ?? total;
    });
    const folder = join(repoIn(cache), 'snapshots', 'a'.repeat(40));
    expect(readdirSync(folder).sort()).toEqual([...Object.keys(files), 'chat_template.jinja'].sort());
    for (const [name, bytes] of Object.entries(files)) {
      expect(readFileSync(join(folder, name)).equals(bytes), name).toBe(true);
    }
    // Others find it without asking: linked blobs under their versions, and the main revision.
    expect(readlinkSync(join(folder, WEIGHTS))).toBe(`../../blobs/${sha256(weights)}`);
    expect(readFileSync(join(repoIn(cache), 'refs', 'main'), 'utf8')).toBe('a'.repeat(40));
    expect(readdirSync(repoIn(cache)).sort()).toEqual(['blobs', 'refs', 'snapshots']);
    expect(total).toBe(
      [...Object.values(files), Buffer.from('{{ messages }}')].reduce((sum, { length }) => sum + length, 0),
    );
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect((await scan()).models.map(({ info }) => info.name)).toEqual([NAME]);
  });

  it('that is complete already asks only what it is', async () => {
    const { pull } = await hubFixture(hub);
    await pull(NAME);
    hub.requests.length = 0;
    await pull(NAME);
    expect(hub.starts()).toEqual([]);
  });

  it('continues where it was after kill -9, and until then nobody sees half a model', async () => {
    hub.fault = { kind: 'stall', afterBytes: 4_000_000 };
    const { begin, pull, spawner, scan, cache } = await hubFixture(hub);
    const { ended } = await begin(NAME, 3_000_000);
    spawner.last.kill('SIGKILL');
    expect(await ended).toMatchObject({ code: 'pull_failed' });
    expect(await scan()).toMatchObject({ models: [], broken: [] });
    hub.fault = { kind: 'none' };
    hub.requests.length = 0;
    await pull(NAME);
    expect(hub.starts()).toHaveLength(1);
    expect(hub.starts()[0]).toBeGreaterThan(2_900_000);
    expect(sha256(readFileSync(join(repoIn(cache), 'snapshots', 'a'.repeat(40), WEIGHTS)))).toBe(
      sha256(weights),
    );
    expect((await scan()).models).toHaveLength(1);
  });

  it('stops when it is paused, with its process, and continues', async () => {
    hub.fault = { kind: 'stall', afterBytes: 4_000_000 };
    const { begin, pull, spawner } = await hubFixture(hub);
    const { ended, abort } = await begin(NAME, 3_000_000);
    abort();
    expect(await ended).toMatchObject({ message: 'stopped' });
    expect(await livingOf([spawner.last.pid ?? 0])).toEqual([]);
    hub.fault = { kind: 'none' };
    hub.requests.length = 0;
    await pull(NAME);
    expect(hub.starts()[0]).toBeGreaterThan(2_900_000);
  });

  it('that is cancelled leaves nothing', async () => {
    hub.fault = { kind: 'stall', afterBytes: 4_000_000 };
    const { begin, source, cache } = await hubFixture(hub);
    const { ended, abort } = await begin(NAME, 3_000_000);
    abort();
    await ended;
    await source.discard(NAME);
    expect(readdirSync(cache).filter((name) => name.startsWith('models--'))).toEqual([]);
    expect(readdirSync(join(cache, '.locks'))).toEqual([]);
    // Nothing was begun, or by another program.
    await source.discard('org/other');
  });

  it('of a newer revision leaves the older one in use until it is complete; cancelled, the older one stays', async () => {
    const { begin, pull, source, cache, scan } = await hubFixture(hub);
    await pull(NAME);
    const changed = Buffer.from(weights);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    hub.repos[NAME] = { sha: NEW, files: { ...files, [WEIGHTS]: changed } };
    hub.fault = { kind: 'stall', afterBytes: 4_000_000 };
    const main = () => readFileSync(join(repoIn(cache), 'refs', 'main'), 'utf8');
    const { ended, abort } = await begin(NAME, 3_000_000);
    expect(main()).toBe('a'.repeat(40));
    expect((await scan()).models).toHaveLength(1);
    abort();
    await ended;
    await source.discard(NAME);
    expect(readdirSync(join(repoIn(cache), 'blobs'))).toHaveLength(Object.keys(files).length);
    expect((await scan()).models).toHaveLength(1);
    hub.fault = { kind: 'none' };
    await pull(NAME);
    expect(main()).toBe(NEW);
    expect(readFileSync(join(repoIn(cache), 'snapshots', NEW, WEIGHTS)).equals(changed)).toBe(true);
  });

  it('of a renamed repository, or in another letter case, reports the name of its files', async () => {
    const asked = 'org/Random-Model';
    hub.oldNames[asked] = NAME;
    hub.fault = { kind: 'stall', afterBytes: 4_000_000 };
    const { source, cache } = await hubFixture(hub);
    expect(await source.lookUp(asked, new AbortController().signal)).toMatchObject({ name: NAME });
    const controller = new AbortController();
    const names: string[] = [];
    const onName = (name: string) => names.push(name);
    const onProgress = ({ completedBytes }: { completedBytes: number }) =>
      completedBytes > 3_000_000 && controller.abort(new Error('stopped'));
    const ended = source.pull(asked, { insecure: false, onName }, onProgress, controller.signal);
    await expect(ended).rejects.toThrow('stopped');
    expect(names).toEqual([NAME]);
    await source.discard(NAME);
    expect(readdirSync(cache).filter((name) => name.startsWith('models--'))).toEqual([]);
  });

  it('is not begun for a name that is no repository', async () => {
    const { source } = await hubFixture(hub);
    for (const name of [
      '../../etc',
      'a/..',
      'org/../x',
      'a b',
      '$(id)',
      'a/b/c',
      '/abs',
      '',
      'a--b/c',
      'x'.repeat(97),
    ])
      expect(() => source.check(name), name).toThrow(expect.objectContaining({ code: 'bad_model_name' }));
    for (const name of ['org/Model-1.5_4bit', 'gpt2']) expect(() => source.check(name), name).not.toThrow();
  });

  it('continues a partial file of an older client, and replaces a blob of the wrong size', async () => {
    const { pull, cache } = await hubFixture(hub);
    const blobs = join(repoIn(cache), 'blobs');
    mkdirSync(blobs, { recursive: true });
    writeFileSync(join(blobs, `${sha256(weights)}.incomplete`), weights.subarray(0, 5_000_000));
    await pull(NAME);
    expect(hub.starts()).toEqual([5_000_000]);
    writeFileSync(join(blobs, sha256(weights)), 'short');
    await pull(NAME);
    expect(readFileSync(join(blobs, sha256(weights))).equals(weights)).toBe(true);
  });
});
