import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { measureModelFolder, removeModelFolder } from '../../../src/main/models/folder-remove';
import { deleteModelFiles, measureModel } from '../../../src/main/models/model-files';
import type { ModelPlace } from '../../../src/main/models/scan-result';
import { systemClock } from '../../../src/main/ports/clock';
import { nodeSpawner } from '../../../src/main/ports/node-spawner';
import { type BuiltEntry, buildEntry } from '../../support/build-worker';
import { FakeClock, settle } from '../../support/fake-clock';
import { FakeSpawner } from '../../support/fake-processes';
import { tempDir } from '../../support/temp-dir';

let home: string;
beforeEach(() => {
  home = tempDir();
});

/** A model in a Hugging Face cache: its snapshot links to its blobs. */
function inHub(name: string): { place: ModelPlace; repo: string } {
  const root = join(home, 'hub');
  const repo = join(root, `models--${name.replace('/', '--')}`);
  const path = join(repo, 'snapshots', 'abc');
  mkdirSync(path, { recursive: true });
  mkdirSync(join(repo, 'blobs'));
  writeFileSync(join(repo, 'blobs', 'b1'), 'x'.repeat(1000));
  symlinkSync('../../blobs/b1', join(path, 'model.safetensors'));
  mkdirSync(join(root, '.locks', `models--${name.replace('/', '--')}`), { recursive: true });
  return { place: { owner: 'huggingface', root, path }, repo };
}

function inFolder(...names: string[]): ModelPlace {
  const root = join(home, 'models');
  const path = join(root, ...names);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'model.safetensors'), 'x'.repeat(500));
  return { owner: 'folder', root, path };
}

/** Removes it completely; returns why it was kept. */
function remove(place: ModelPlace) {
  const steps = removeModelFolder(place);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

describe('deleting a model', () => {
  it('removes the whole repository of a Hugging Face cache, and nothing else', () => {
    const { place, repo } = inHub('org/gone');
    const other = inHub('org/stays');
    expect(measureModelFolder(place)).toBe(1000);
    expect(remove(place)).toBeNull();
    expect(existsSync(repo)).toBe(false);
    expect(readdirSync(join(place.root, '.locks'))).toEqual(['models--org--stays']);
    expect(readdirSync(other.place.path)).toEqual(['model.safetensors']);
  });

  it('removes one folder of the user’s, one or two levels deep', () => {
    const place = inFolder('org', 'name');
    const sibling = inFolder('org', 'other');
    expect(remove(place)).toBeNull();
    expect(readdirSync(join(place.root, 'org'))).toEqual(['other']);
    expect(remove(sibling)).toBeNull();
    expect(remove(sibling)).toBeNull();
  });

  it('deletes links in it without following them', () => {
    const place = inFolder('name');
    const outside = join(home, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'kept'), '');
    symlinkSync(outside, join(place.path, 'link'));
    expect(remove(place)).toBeNull();
    expect(readdirSync(outside)).toEqual(['kept']);
  });

  it('keeps a folder that is a link', () => {
    const outside = join(home, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'kept'), '');
    const root = join(home, 'models');
    mkdirSync(root);
    symlinkSync(outside, join(root, 'linked'));
    expect(remove({ owner: 'folder', root, path: join(root, 'linked') })).toBe('link');
    expect(readdirSync(outside)).toEqual(['kept']);
    expect(existsSync(join(root, 'linked'))).toBe(true);
  });

  it('keeps a folder that leaves its place over a link or a name', () => {
    const outside = join(home, 'outside', 'model');
    mkdirSync(outside, { recursive: true });
    const root = join(home, 'models');
    mkdirSync(root);
    symlinkSync(join(home, 'outside'), join(root, 'org'));
    expect(remove({ owner: 'folder', root, path: join(root, 'org', 'model') })).toBe('outside');
    expect(remove({ owner: 'folder', root, path: join(root, '..', 'outside') })).toBe('outside');
    expect(remove({ owner: 'folder', root, path: root })).toBe('outside');
    expect(existsSync(outside)).toBe(true);
  });

  it('keeps everything in a Hugging Face cache that is not a model', () => {
    const root = join(home, 'hub');
    const path = join(root, 'datasets--org--name', 'snapshots', 'abc');
    mkdirSync(path, { recursive: true });
    expect(remove({ owner: 'huggingface', root, path })).toBe('outside');
    expect(existsSync(path)).toBe(true);
  });

  it('works in a place that is itself reached over a link', () => {
    const place = inFolder('name');
    symlinkSync(place.root, join(home, 'link'));
    const root = join(home, 'link');
    expect(remove({ owner: 'folder', root, path: join(root, 'name') })).toBeNull();
    expect(readdirSync(place.root)).toEqual([]);
  });
});

describe('the process that deletes', () => {
  let built: BuiltEntry;
  beforeAll(async () => {
    built = await buildEntry('src/main/models/scan-child.ts');
  });
  afterAll(() => built.remove());
  const processOf = (script: string) => ({
    ...{ spawner: nodeSpawner, clock: systemClock, node: process.execPath, env: {} },
    script,
  });

  it('counts bytes, deletes, and says what it does not delete', async () => {
    const child = processOf(fileURLToPath(built.url));
    const place = inFolder('name');
    expect(await measureModel(child, place)).toBe(500);
    await deleteModelFiles(child, place);
    expect(existsSync(place.path)).toBe(false);
    await expect(deleteModelFiles(child, { ...place, path: place.root })).rejects.toMatchObject({
      code: 'not_deletable',
    });
  });

  it('may take long while it advances, and is ended when it does not', async () => {
    const place = inFolder('name');
    const spawner = new FakeSpawner();
    const clock = new FakeClock();
    const slow = { ...processOf('unused'), spawner, clock };
    const begin = () => deleteModelFiles(slow, place).catch((error) => error.code);
    const deletion = begin();
    for (let part = 0; part < 3; part += 1) {
      await clock.advance(59_000);
      spawner.last.stdout.write('"removed"\n');
      await settle();
    }
    spawner.last.stdout.end('{"kept":null}\n');
    expect(await deletion).toBeUndefined();
    const hung = begin();
    spawner.last.stdout.write('"removed"\n');
    await settle();
    await clock.advance(60_000);
    expect(await hung).toBe('timeout');
  });

  it('reports each removed file', () => {
    const place = inFolder('name');
    writeFileSync(join(place.path, 'config.json'), '{}');
    expect([...removeModelFolder(place)]).toEqual(['removed', 'removed']);
  });

  it('does not count as a deletion when it gives no answer', async () => {
    const place = inFolder('name');
    const silent = join(home, 'silent.mjs');
    writeFileSync(silent, '');
    expect(await measureModel(processOf(silent), place)).toBeNull();
    await expect(deleteModelFiles(processOf(silent), place)).rejects.toMatchObject({ code: 'timeout' });
  });
});
