import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchPackageFile, findPipPython } from '../../../resources/setup/lib/package-file.js';
import { ownPlace } from '../../../resources/setup/lib/paths.js';
import { setUpSmallModel } from '../../../resources/setup/lib/small-model.js';
import { PackageIndex } from '../../support/package-index.js';
import { tempDir } from '../../support/temp-dir.js';

/** The real script with the machine's own pip, against the test's own index. */
const content = randomBytes(3_000_000);
const part = 1_000_000;
let index: PackageIndex;
let python: string;
let to: string;

beforeEach(async () => {
  index = new PackageIndex(content);
  await index.listen();
  python = await findPipPython(ownPlace(homedir()));
  to = join(tempDir(), 'downloads', 'file.whl');
});
afterEach(() => index.close());

const fetch = (
  job: { signal?: AbortSignal; onProgress?: (bytes: number) => void; pin?: PackageIndex['pin'] } = {},
) => fetchPackageFile({ python, pin: index.pin, to, env: index.env(), ...job });

/** Downloads until the server has sent its first part, then aborts as a cancel does. */
async function stopAtFirstPart(): Promise<void> {
  const controller = new AbortController();
  index.fault = { kind: 'stall', afterBytes: part };
  const ended = fetch({ signal: controller.signal, onProgress: (bytes) => bytes > 0 && controller.abort() });
  await expect(ended).rejects.toThrow();
  index.fault = { kind: 'none' };
}

describe('a pinned file of the package index', () => {
  it('is downloaded whole, with its progress, and a second call downloads nothing', async () => {
    const seen: number[] = [];
    await fetch({ onProgress: (bytes) => seen.push(bytes) });
    expect(readFileSync(to).equals(content)).toBe(true);
    expect(seen.at(-1)).toBe(content.length);
    await fetch();
    expect(index.ranges).toEqual(['']);
  });

  it('continues where a cancelled download stopped', async () => {
    await stopAtFirstPart();
    const there = statSync(`${to}.part`).size;
    expect(there).toBeGreaterThan(0);
    await fetch();
    expect(readFileSync(to).equals(content)).toBe(true);
    expect(index.ranges).toEqual(['', `bytes=${there}-`]);
  });

  it('starts over where the server does not support ranges', async () => {
    await stopAtFirstPart();
    index.fault = { kind: 'no-range' };
    await fetch();
    expect(readFileSync(to).equals(content)).toBe(true);
  });

  it('is assembled from connections that break, as long as each delivers something', async () => {
    index.fault = { kind: 'cut', afterBytes: part };
    await fetch();
    expect(readFileSync(to).equals(content)).toBe(true);
    expect(index.ranges).toEqual(['', `bytes=${part}-`, `bytes=${2 * part}-`]);
  });

  it('fails when connections deliver nothing; the bytes received before stay', async () => {
    await stopAtFirstPart();
    const there = statSync(`${to}.part`).size;
    index.fault = { kind: 'cut', afterBytes: 0 };
    await expect(fetch()).rejects.toMatchObject({ code: 'download_interrupted' });
    expect(statSync(`${to}.part`).size).toBe(there);
  });

  it('is deleted when its contents are wrong', async () => {
    index.fault = { kind: 'corrupt' };
    await expect(fetch()).rejects.toMatchObject({ code: 'wrong_file' });
    expect([existsSync(to), existsSync(`${to}.part`)]).toEqual([false, false]);
  });

  it('is not read beyond its size', async () => {
    index.fault = { kind: 'longer' };
    await expect(fetch()).rejects.toMatchObject({ code: 'wrong_file' });
    expect(existsSync(`${to}.part`)).toBe(false);
  });

  it('is not started when the server announces more bytes than were pinned', async () => {
    const pin = { ...index.pin, bytes: content.length - 1 };
    await expect(fetch({ pin })).rejects.toMatchObject({ code: 'wrong_file' });
    expect(existsSync(`${to}.part`)).toBe(false);
  });

  it('starts over after a leftover that is larger than the file', async () => {
    await stopAtFirstPart();
    writeFileSync(`${to}.part`, randomBytes(content.length + 1));
    await fetch();
    expect(readFileSync(to).equals(content)).toBe(true);
  });

  it('fails where the index does not have it', async () => {
    await expect(
      fetch({ pin: { ...index.pin, file: 'a_model-2.0-py3-none-any.whl' } }),
    ).rejects.toMatchObject({
      code: 'not_in_index',
    });
    await expect(fetch({ pin: { ...index.pin, package: 'another' } })).rejects.toMatchObject({
      code: 'not_in_index',
    });
  });

  it('fails without a network, and says so', async () => {
    const env = index.env();
    await index.close();
    await expect(fetchPackageFile({ python, pin: index.pin, to, env })).rejects.toMatchObject({
      code: 'index_unreachable',
      message: expect.stringContaining('Connection refused'),
    });
    await index.listen();
  });

  it('leaves an older version of the small model in use while the new one is unavailable', async () => {
    const root = tempDir();
    const old = join(root, 'smollm2-135m-instruct-0.0.9');
    mkdirSync(old);
    for (const name of ['model.gguf', 'tandem-runtime.json']) writeFileSync(join(old, name), '{}');
    const manifest = { smallModel: { ...index.pin, version: '0.1.2', member: 'm', memberBytes: 9 } };
    index.fault = { kind: 'corrupt' };
    const env = { ...index.env(), TANDEM_RUNTIME_DIR: root, TANDEM_SMALL_MODEL: '' };
    const place = { ...ownPlace(homedir()), env };
    const context = { place, manifest, report: () => {}, signal: undefined } as never;
    await expect(setUpSmallModel(context)).rejects.toMatchObject({ code: 'wrong_file', path: old });
  });

  it('needs a Python with pip', async () => {
    const place = { env: { PATH: '/nowhere' }, platform: 'linux', home: '/nowhere' };
    const none = async () => ({ code: 1, stdout: '', stderr: '', error: undefined, timedOut: false });
    await expect(findPipPython(place, { runProgram: none })).rejects.toMatchObject({ code: 'no_pip' });
  });
});
