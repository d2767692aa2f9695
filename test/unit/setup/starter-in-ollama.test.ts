import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { starterInOllama } from '../../../resources/setup/lib/starter-in-ollama.js';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
let home: string;
let models: string;
let source: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tandem-starter-in-ollama-'));
  models = join(home, '.ollama', 'models');
  source = join(home, 'source');
  mkdirSync(source);
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
  starterInOllama({ env: {}, platform: 'linux', home }, source).map((path) => path.slice(models.length));

describe('the starter in Ollama', () => {
  it('is its manifest and the blobs that no other model uses', () => {
    model('tandem-starter/latest', ['a', 'b', 'c']);
    model('mine/7b', ['d', 'b']);
    expect(found()).toEqual([
      '/manifests/registry.ollama.ai/library/tandem-starter',
      `/blobs/sha256-${'a'.repeat(64)}`,
      `/blobs/sha256-${'c'.repeat(64)}`,
    ]);
  });

  it('is also the files that it was created from, unless another model uses them', () => {
    model('tandem-starter/latest', ['a']);
    const upload = (content: string) => {
      const hash = createHash('sha256').update(content).digest('hex');
      writeFileSync(join(source, hash), content);
      put(`blobs/sha256-${hash}`, content);
      return hash;
    };
    const weights = upload('weights');
    const shared = upload('shared');
    const config = { digest: `sha256:${shared}` };
    put('manifests/registry.ollama.ai/library/mine/7b', JSON.stringify({ config, layers: [] }));
    expect(found()).toContain(`/blobs/sha256-${weights}`);
    expect(found()).not.toContain(`/blobs/sha256-${shared}`);
  });

  it('is nothing when it is not there', () => {
    model('mine/7b', ['a']);
    expect(found()).toEqual([]);
  });

  it('is left alone when another manifest cannot be read', () => {
    model('tandem-starter/latest', ['a']);
    put('manifests/registry.ollama.ai/library/mine/7b', '{');
    expect(found()).toEqual([]);
  });
});
