import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stepPrinter } from '../../../resources/setup/lib/steps.js';
import { canTestWindow, setUpTestElectron } from '../../../resources/setup/lib/test-electron.js';
import { tempDir } from '../../support/temp-dir';

/** An Electron that is there, runs as a Node and reports `reported`. */
function job(programs: { names: string[]; apt: string }[], reported = '22.0.0') {
  const root = tempDir();
  const folder = join(root, 'test-electron-22.0.0');
  mkdirSync(folder);
  writeFileSync(join(folder, 'tandem-runtime.json'), '{}');
  writeFileSync(join(folder, 'electron'), `#!/bin/sh\necho ${reported}\n`, { mode: 0o700 });
  const testElectron = { version: '22.0.0', executable: 'electron', programs, libraries: ['libgtk-3-0'] };
  const place = { env: { TANDEM_RUNTIME_DIR: root, PATH: '' }, platform: 'linux', home: root };
  const steps = stepPrinter({ write: () => true });
  return { place, manifest: { testElectron }, steps, allowPackages: false };
}

describe('the set-up of the window test', () => {
  it('is for Linux x64', () => {
    expect(canTestWindow({ platform: 'linux', arch: 'x64' })).toBe(true);
    expect(canTestWindow({ platform: 'linux', arch: 'arm64' })).toBe(false);
    expect(canTestWindow({ platform: 'darwin', arch: 'x64' })).toBe(false);
  });

  it('does nothing when everything is there', async () => {
    const there = job([{ names: ['sh'], apt: 'dash' }]);
    await setUpTestElectron(there);
    expect(existsSync(join(there.place.home, '.test-electron.lock'))).toBe(false);
  });

  it('names what is missing, with the command that installs it', async () => {
    await expect(setUpTestElectron(job([{ names: ['no-such-program'], apt: 'xvfb' }]))).rejects.toMatchObject(
      {
        code: 'no_window',
        message: 'The window test needs xvfb.',
        cure: 'Run: sudo apt-get install -y xvfb',
      },
    );
  });

  it('names the libraries when Electron does not run', async () => {
    await expect(setUpTestElectron(job([], 'no version'))).rejects.toMatchObject({
      code: 'no_window',
      message: 'The window test needs libgtk-3-0.',
    });
  });
});
