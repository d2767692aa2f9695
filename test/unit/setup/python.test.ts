import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findPython, isUsablePython, pythonCandidates } from '../../../resources/setup/lib/python.js';

const range = { minimum: '3.11', newestTried: '3.14' };
const python = (version: string, machine = 'arm64') => ({ path: '/p', version, ensurepip: true, machine });

describe('which Python can run MLX', () => {
  it.each([
    ['3.10.14', 'linux', false],
    ['3.11.0', 'linux', true],
    ['3.14.2', 'linux', true],
    ['3.15.0', 'linux', false],
    ['3.12.1', 'darwin', true],
  ])('%s on %s: %s', (version, platform, expected) => {
    expect(isUsablePython(python(version), range, platform)).toBe(expected);
  });

  it('is never one that runs under Rosetta on a Mac', () => {
    expect(isUsablePython(python('3.12.1', 'x86_64'), range, 'darwin')).toBe(false);
    expect(isUsablePython(python('3.12.1', 'x86_64'), range, 'linux')).toBe(true);
  });
});

describe('where Python is searched', () => {
  let bin: string;
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'tandem-python-'));
    bin = join(home, 'bin');
    mkdirSync(bin);
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  /** An executable that answers like an interpreter of this version. */
  const fake = (name: string, facts: object | undefined) => {
    const answer = facts ? `echo '${JSON.stringify(facts)}'` : 'exit 1';
    writeFileSync(join(bin, name), `#!/bin/sh\n${answer}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const place = (platform = 'linux') => ({ env: { PATH: bin }, platform, home });
  const ours = (files: string[]) => files.filter((file) => file.startsWith(home));

  it("is PATH and pyenv's versions, python3 before the numbered ones, the newest first", () => {
    for (const name of ['python3.11', 'python3.13', 'python3']) fake(name, python('3.11.0'));
    const pyenv = join(home, '.pyenv', 'versions', '3.12.1', 'bin');
    mkdirSync(pyenv, { recursive: true });
    writeFileSync(join(pyenv, 'python3.12'), '');
    const files = ours(pythonCandidates(place(), range, { developerTools: true }));
    expect(files).toEqual([
      join(bin, 'python3'),
      join(bin, 'python3.13'),
      join(pyenv, 'python3.12'),
      join(bin, 'python3.11'),
    ]);
  });

  it('leaves out the python3 of macOS while the developer tools are missing, since it opens a dialog', () => {
    const without = pythonCandidates({ ...place('darwin'), env: { PATH: '/usr/bin' } }, range, {
      developerTools: false,
    });
    expect(without.filter((file: string) => file.startsWith('/usr/bin/'))).toEqual([]);
  });

  it('prefers one that can create virtual environments, and skips one that does not run', async () => {
    fake('python3', { ...python('3.12.0'), path: join(bin, 'python3'), ensurepip: false });
    fake('python3.14', undefined);
    fake('python3.13', { ...python('3.13.0'), path: join(bin, 'python3.13') });
    const candidates = ['python3', 'python3.14', 'python3.13'].map((name) => join(bin, name));
    const { python: found } = await findPython(place(), range, { candidates });
    expect(found?.path).toBe(join(bin, 'python3.13'));
  });
});
