import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readManifest } from '../../../resources/setup/lib/manifest.js';
import { findOllama, ollamaProgram } from '../../../resources/setup/lib/ollama-find.js';

const manifest = readManifest();
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tandem-ollama-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A program that prints this version, or does not run. */
function program(path: string, version: string | undefined): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, version ? `#!/bin/sh\necho "ollama version is ${version}"\n` : '#!/bin/sh\nexit 1\n');
  chmodSync(file, 0o755);
  return file;
}

const look = (env: Record<string, string> = {}, adopt = false) =>
  findOllama({
    place: {
      env: { PATH: join(root, 'bin'), TANDEM_RUNTIME_DIR: join(root, 'runtimes'), ...env },
      platform: 'linux',
      home: root,
    },
    manifest,
    allowPackages: false,
    adopt,
    report: () => undefined,
  });

function managedBuild(): string {
  const file = program(`runtimes/ollama-${manifest.ollama.version}/bin/ollama`, manifest.ollama.version);
  writeFileSync(join(dirname(file), '..', 'tandem-runtime.json'), '{}');
  return file;
}

describe('the Ollama to use', () => {
  it('is the server that OLLAMA_API_URL names and no other, alive or not', async () => {
    managedBuild();
    const url = 'http://127.0.0.1:9';
    expect(await look({ OLLAMA_API_URL: url }, true)).toMatchObject({ stage: 'ready', source: 'env', url });
  });

  it('is TANDEM_OLLAMA_BIN before the app, the app before PATH, PATH before our own build', async () => {
    const own = managedBuild();
    expect(await look()).toMatchObject({ source: 'managed', path: own });
    const onPath = program('bin/ollama', '0.30.1');
    expect(await look()).toMatchObject({ source: 'path', path: onPath, version: '0.30.1' });
    const inApp = program('Applications/Ollama.app/Contents/Resources/ollama', '0.31.0');
    expect(await look()).toMatchObject({ source: 'app', path: inApp });
    const named = program('mine/ollama', '0.0.0');
    expect(await look({ TANDEM_OLLAMA_BIN: named })).toMatchObject({
      source: 'env',
      path: named,
      version: '0.0.0',
    });
  });

  it('is never one that does not run', async () => {
    const own = managedBuild();
    program('bin/ollama', undefined);
    expect(await look()).toMatchObject({ source: 'managed', path: own });
  });

  it('has to be built when there is none, or only half a build', async () => {
    program(`runtimes/ollama-${manifest.ollama.version}/bin/ollama`, '0.34.0');
    expect(await look()).toEqual({ stage: 'needed' });
  });

  it('is an error with a cure when TANDEM_OLLAMA_BIN does not run', async () => {
    managedBuild();
    const named = program('mine/ollama', undefined);
    await expect(look({ TANDEM_OLLAMA_BIN: named })).rejects.toMatchObject({ code: 'ollama_binary_broken' });
    await expect(look({ TANDEM_OLLAMA_BIN: join(root, 'nothing') })).rejects.toMatchObject({
      cure: expect.any(String),
    });
  });
});

it('is at the top of a build before 0.34, in bin of a later one', () => {
  const early = program('runtimes/ollama-0.24.0/ollama', '0.24.0');
  const late = program('runtimes/ollama-0.34.0/bin/ollama', '0.34.0');
  expect(ollamaProgram(join(root, 'runtimes', 'ollama-0.24.0'))).toBe(early);
  expect(ollamaProgram(join(root, 'runtimes', 'ollama-0.34.0'))).toBe(late);
});
