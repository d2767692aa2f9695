import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isBuilt, sourceHash } from '../../../resources/setup/lib/build.js';
import { writeStamp } from '../../../resources/setup/lib/stamp.js';

let root: string;
const put = (path: string, text: string) => {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tandem-build-'));
  put('package.json', '{}');
  put('src/main/headless.ts', 'export {}');
  put('src/main/core/core.ts', 'export {}');
  put('test/unit/a.test.ts', 'a test');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

it('changes with the content, name and number of sources, and with nothing else', () => {
  const first = sourceHash(root);
  put('test/unit/a.test.ts', 'another test');
  expect(sourceHash(root)).toBe(first);
  put('src/main/core/core.ts', 'export { }');
  const second = sourceHash(root);
  expect(second).not.toBe(first);
  put('src/main/more.ts', '');
  expect(sourceHash(root)).not.toBe(second);
});

it('counts as built only with the entry in place and a stamp of these sources', () => {
  expect(isBuilt(root)).toBe(false);
  put('out/main/headless.js', '');
  expect(isBuilt(root)).toBe(false);
  writeStamp(join(root, 'out/build-stamp.json'), { sources: sourceHash(root) });
  expect(isBuilt(root)).toBe(true);
  put('src/main/core/core.ts', 'changed');
  expect(isBuilt(root)).toBe(false);
  put('src/main/core/core.ts', 'export {}');
  rmSync(join(root, 'out/main/headless.js'));
  expect(isBuilt(root)).toBe(false);
});
