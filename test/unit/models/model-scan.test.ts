import { execFileSync } from 'node:child_process';
import fs, { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { isReadableFolder } from '../../../src/main/models/folder-check';
import { MlxLibrary } from '../../../src/main/models/mlx-library';
import { ModelScan } from '../../../src/main/models/model-scan';
import { silentLogger } from '../../../src/main/ports/logger';
import { nodeSpawner } from '../../../src/main/ports/node-spawner';
import type { ChildHandle, Spawner } from '../../../src/main/ports/spawner';
import { type BuiltEntry, buildEntry } from '../../support/build-worker';
import { FakeClock } from '../../support/fake-clock';
import { placesIn, scanned } from '../../support/scan';
import { tempDir } from '../../support/temp-dir';

let built: BuiltEntry;
beforeAll(async () => {
  built = await buildEntry('src/main/models/scan-child.ts');
});
afterAll(() => built.remove());

const CONFIG = JSON.stringify({ model_type: 'llama', architectures: ['LlamaForCausalLM'] });

/** A safetensors file that claims a header of this many bytes, and has that size. */
function claimHeader(path: string, bytes: number, begin = ''): void {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes));
  writeFileSync(path, Buffer.concat([length, Buffer.from(begin)]));
  truncateSync(path, bytes + 1000);
}

function makeModel(folder: string, files: Record<string, string> = {}): void {
  mkdirSync(folder, { recursive: true });
  const header = JSON.stringify({ w: { dtype: 'U8', shape: [4], data_offsets: [0, 4] } });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([length, Buffer.from(`${header}data`)]));
  writeFileSync(join(folder, 'config.json'), CONFIG);
  writeFileSync(join(folder, 'tokenizer.json'), '{}');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

/** Replaces a file by a FIFO. */
function makeFifo(path: string): void {
  rmSync(path, { force: true });
  execFileSync('mkfifo', [path]);
}

/** Stores the handles of the processes it started, and the output of each. */
class Kept implements Spawner {
  readonly children: ChildHandle[] = [];
  readonly written: string[] = [];

  spawn(spec: Parameters<Spawner['spawn']>[0]): ChildHandle {
    const child = nodeSpawner.spawn(spec);
    const index = this.children.push(child) - 1;
    this.written.push('');
    child.stdout?.on('data', (bytes: Buffer) => {
      this.written[index] = `${this.written[index]}${bytes}`;
    });
    return child;
  }
}

let home: string;
let clock: FakeClock;
let spawner: Kept;
beforeEach(() => {
  home = tempDir();
  clock = new FakeClock();
  spawner = new Kept();
});

/** The scan's own script, except that one folder is on a volume that does not respond. */
function hangsAt(folder: string): string {
  const script = join(home, 'hangs.mjs');
  const at = JSON.stringify(`"path":${JSON.stringify(folder)}`);
  writeFileSync(
    script,
    `import fs from 'node:fs';
     import { syncBuiltinESMExports } from 'node:module';
     const write = fs.writeFileSync;
     fs.writeFileSync = (file, text) => {
       write(file, text);
       if (text.includes(${at}) && text.includes('"skipped":false'))
         Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     };
     syncBuiltinESMExports();
     await import(${JSON.stringify(built.url.href)});`,
  );
  return script;
}

function processOf(script: string) {
  return { spawner, clock, node: process.execPath, script, env: {} };
}

function scanIn(script: string, folders: string[] = []) {
  const scan = new ModelScan({
    process: processOf(script),
    places: () => placesIn(home, { folders }),
    logger: silentLogger,
  });
  const library = new MlxLibrary({ backend: 'mlx', scan });
  const names = () => scan.result()?.models.map(({ info }) => info.name) ?? [];
  return { scan, library, names };
}

const here = () => fileURLToPath(built.url);

describe('the scan in its own process', () => {
  it('finds the models, and reads one again only when it has changed', async () => {
    makeModel(join(home, 'mlx-models/one-1b'));
    const { scan, library, names } = scanIn(here());
    await scan.run();
    makeModel(join(home, 'mlx-models/two-2b'));
    await scan.run();
    expect(names()).toEqual(['one-1b', 'two-2b']);
    expect(library.knownNeeds('one-1b')?.largestTensorBytes).toBe(4);
    expect(scan.result()?.visited).toContain(join(home, 'mlx-models/two-2b'));
    expect(await Promise.all(spawner.children.map(({ exited }) => exited))).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ]);
  });

  it('skips FIFOs in place of files that mlx-lm reads, and lists the other models', async () => {
    const odd = ['config.json', 'tokenizer.json', 'model.safetensors.index.json', 'model.safetensors'];
    for (const [index, name] of odd.entries()) {
      const folder = join(home, `mlx-models/odd-${index}b`);
      makeModel(folder);
      makeFifo(join(folder, name));
    }
    makeModel(join(home, 'mlx-models/whole-1b'));
    const { scan, names } = scanIn(here());
    await scan.run();
    expect(names()).toEqual(['odd-2b', 'whole-1b']);
    const isRead = (name: string) => name !== 'model.safetensors.index.json';
    expect(scan.result()?.broken.map(({ file }) => file)).toEqual(odd.filter(isRead));
  });

  it('is killed when a folder does not respond; the others are scanned, and that one is reported', async () => {
    const gone = join(home, 'volume');
    makeModel(join(gone, 'far-1b'));
    makeModel(join(home, '.mlx_models/near-1b'));
    makeModel(join(home, '.cache/huggingface/hub/models--org--hub-1b/snapshots/a'));
    const { scan, library, names } = scanIn(hangsAt(gone), [gone]);
    const list = library.list();
    await reached(spawner, 1);
    await clock.advance(10_000);
    await list;
    expect(await spawner.children[0]?.exited).toMatchObject({ signal: 'SIGKILL' });
    expect(names()).toEqual(['near-1b', 'org/hub-1b']);
    expect(library.warnings()).toEqual([
      { code: 'model_folder_hung', message: expect.stringContaining(gone), details: { path: gone } },
    ]);
    expect(scan.result()?.visited.filter((folder) => folder.startsWith(gone))).toEqual([]);
  });

  it('keeps known models of a folder that no longer responds, and retries it later', async () => {
    const gone = join(home, 'volume');
    makeModel(join(gone, 'far-1b'));
    const { scan, names } = scanIn(here(), [gone]);
    await scan.run();
    const hanging = hangsAt(gone);
    const options = processOf(here());
    const moody = new ModelScan({
      process: options,
      places: () => placesIn(home, { folders: [gone] }),
      logger: silentLogger,
    });
    await moody.run();
    options.script = hanging;
    const run = moody.run();
    await reached(spawner, 3);
    await clock.advance(10_000);
    await run;
    expect(moody.result()?.models.map(({ info }) => info.name)).toEqual(names());
    expect(moody.hung()).toEqual([gone]);
    options.script = here();
    await moody.run();
    expect(moody.hung()).toEqual([gone]);
    await clock.advance(300_000);
    await moody.run();
    expect(moody.hung()).toEqual([]);
  });

  it('does not delay the exit of the app', async () => {
    const gone = join(home, 'volume');
    makeModel(join(gone, 'far-1b'));
    const { scan } = scanIn(hangsAt(gone), [gone]);
    const run = scan.run();
    scan.stop();
    await expect(run).rejects.toThrow('not looked for');
    expect(await spawner.children[0]?.exited).toMatchObject({ signal: 'SIGKILL' });
    await expect(scan.run()).rejects.toThrow('not looked for');
    expect(spawner.children).toHaveLength(1);
  });

  it('fails when its process exits early, or writes without an end', async () => {
    const script = join(home, 'odd.mjs');
    writeFileSync(script, 'process.exit(3)');
    await expect(scanIn(script).scan.run()).rejects.toThrow('did not come to its end');
    writeFileSync(script, "import { writeSync } from 'node:fs'; for (;;) writeSync(1, 'x'.repeat(65536));");
    await expect(scanIn(script).scan.run()).rejects.toThrow('too long');
    await expect(scanIn(join(home, 'nowhere.mjs')).scan.run()).rejects.toThrow('did not come to its end');
  });
});

describe('the bytes read', () => {
  it('are few where headers claim to be huge, and never more at once than a chunk', async () => {
    const folder = join(home, 'mlx-models/claims-7b');
    makeModel(folder);
    for (let shard = 0; shard < 20; shard += 1)
      claimHeader(join(folder, `model-${shard}.safetensors`), 90_000_000);
    makeModel(join(home, 'mlx-models/zeros-7b'));
    claimHeader(join(home, 'mlx-models/zeros-7b/model.safetensors'), 15_000_000);
    makeModel(join(home, 'mlx-models/long-7b'));
    claimHeader(join(home, 'mlx-models/long-7b/model.safetensors'), 15_000_000, '{');
    makeModel(join(home, 'mlx-models/text-7b'));
    truncateSync(join(home, 'mlx-models/text-7b/config.json'), 2_000_000_000);
    const reads = countReads();
    const { models, broken } = await scanned(placesIn(home));
    expect(models).toEqual([]);
    expect(broken).toHaveLength(4);
    expect(Math.max(...reads)).toBeLessThanOrEqual(64 * 1024);
    expect(reads.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(16_000_000);
  });
});

/** Records the size of each buffer that is read into from now on. */
function countReads(): number[] {
  const real = fs.readSync;
  const sizes: number[] = [];
  const counting = (...args: unknown[]) => {
    sizes.push((args[1] as Buffer).length);
    return (real as (...all: unknown[]) => number)(...args);
  };
  fs.readSync = counting as typeof fs.readSync;
  syncBuiltinESMExports();
  onTestFinished(() => {
    fs.readSync = real;
    syncBuiltinESMExports();
  });
  return sizes;
}

/** Resolves when this many processes were started and the newest has reported that it reads the volume. */
async function reached({ written }: Kept, count: number): Promise<void> {
  const place = JSON.stringify(join(home, 'volume'));
  while (!written[count - 1]?.includes(place)) await new Promise(setImmediate);
}

describe('a folder from the settings', () => {
  it('is checked in a separate process, which is killed after 5 s', async () => {
    makeModel(join(home, 'models'));
    makeFifo(join(home, 'fifo'));
    expect(await isReadableFolder(processOf(here()), join(home, 'models'))).toBe(true);
    for (const path of [join(home, 'fifo'), join(home, 'models/config.json'), join(home, 'nowhere')])
      expect(await isReadableFolder(processOf(here()), path)).toBe(false);
    const script = join(home, 'hangs.mjs');
    writeFileSync(script, 'setInterval(() => {}, 1000);');
    const answer = isReadableFolder(processOf(script), home);
    await clock.advance(5_000);
    expect(await answer).toBe(false);
    expect(await spawner.children.at(-1)?.exited).toMatchObject({ signal: 'SIGKILL' });
  });
});
