import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelsInOllama } from '../../../resources/setup/lib/models-in-ollama.js';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
let home: string;
let models: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tandem-models-in-ollama-'));
  models = join(home, '.ollama', 'models');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function put(path: string, content: string) {
  mkdirSync(dirname(join(models, path)), { recursive: true });
  writeFileSync(join(models, path), content);
}
function model(name: string, letters: string[]) {
  const [config, ...layers] = letters.map((letter) => ({ digest: digest(letter) }));
  put(`manifests/registry.ollama.ai/library/${name}`, JSON.stringify({ config, layers }));
  for (const letter of letters) put(`blobs/sha256-${letter.repeat(64)}`, letter);
}
const found = () =>
  modelsInOllama({ env: {}, platform: 'linux', home }).map((path) => path.slice(models.length));

describe('the files that Tandem has put into Ollama', () => {
  it('are its manifest and the blobs that no other model uses', () => {
    model('tandem-smollm2-135m/latest', ['a', 'b', 'c']);
    model('mine/7b', ['d', 'b']);
    expect(found()).toEqual([
      '/manifests/registry.ollama.ai/library/tandem-smollm2-135m',
      `/blobs/sha256-${'a'.repeat(64)}`,
      `/blobs/sha256-${'c'.repeat(64)}`,
    ]);
  });

  it('are none when it is not there', () => {
    model('mine/7b', ['a']);
    expect(found()).toEqual([]);
  });

  it('are left alone when another manifest cannot be read', () => {
    model('tandem-smollm2-135m/latest', ['a']);
    put('manifests/registry.ollama.ai/library/mine/7b', '{');
    expect(found()).toEqual([]);
  });
});
