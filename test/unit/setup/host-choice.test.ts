import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  findElectron,
  forgetFailure,
  rememberedFailure,
  rememberFailure,
} from '../../../resources/setup/lib/electron-binary.js';
import { canShowWindows, chooseHost } from '../../../resources/setup/lib/host-choice.js';
import { exitCodeOf, headlessFlags, hostCommand } from '../../../resources/setup/lib/host-process.js';

const facts = { forced: false, platform: 'linux', env: { DISPLAY: ':0' }, root: false };

describe('whether a window can be shown', () => {
  it.each([
    ['X11', {}, true],
    ['Wayland', { env: { WAYLAND_DISPLAY: 'wayland-0' } }, true],
    ['no display', { env: {} }, false],
    ['root on Linux', { root: true }, false],
    ['--headless', { forced: true }, false],
    ['macOS', { platform: 'darwin', env: {} }, true],
    ['macOS over SSH', { platform: 'darwin', env: { SSH_CONNECTION: 'x' } }, false],
    ['macOS with --headless', { platform: 'darwin', env: {}, forced: true }, false],
  ])('%s', (_name, change, expected) => {
    expect(canShowWindows({ ...facts, ...change }).windows).toBe(expected);
  });
});

describe('the host', () => {
  it('is Electron with a display and a binary', () => {
    const choice = chooseHost({ path: '/e' });
    expect(choice).toMatchObject({ host: 'electron', path: '/e' });
  });

  it('is headless with the reason in its one line', () => {
    const noDisplay = chooseHost({ why: 'there is no display' });
    expect(noDisplay).toEqual({
      host: 'headless',
      line: 'Host: headless, the UI is served to a browser (there is no display).',
    });
    const noBinary = chooseHost({ why: 'no binary' });
    expect(noBinary.line).toContain('(no binary)');
  });

  it('is started with the options of the program', () => {
    const common = { node: '/node', root: '/clone', hostArgs: ['--json'] };
    expect(hostCommand({ ...common, host: { host: 'headless' } })).toEqual({
      command: '/node',
      args: [...headlessFlags, join('/clone', 'out', 'main', 'headless.js'), '--json'],
    });
    expect(hostCommand({ ...common, host: { host: 'electron', path: '/e' } })).toEqual({
      command: '/e',
      args: ['/clone', '--json'],
    });
  });

  it.each([
    ['SIGTERM, ended well', { code: 0, signal: null, ownCode: 0 }, 0],
    ['SIGTERM before it listened for it', { code: null, signal: 'SIGTERM', ownCode: 0 }, 0],
    ['SIGINT, ended well', { code: 0, signal: null, ownCode: 130 }, 130],
    ['SIGTERM, but it failed to stop', { code: 1, signal: null, ownCode: 0 }, 1],
    ['SIGTERM, but it had to be killed', { code: null, signal: 'SIGKILL', ownCode: 0 }, 1],
    ['wrong usage', { code: 2, signal: null, ownCode: undefined }, 2],
    ['its own SIGTERM', { code: null, signal: 'SIGTERM', ownCode: undefined }, 0],
    ['a crash', { code: null, signal: 'SIGSEGV', ownCode: undefined }, 139],
  ])('gives npm start its exit code: %s', (_name, end, expected) => {
    expect(exitCodeOf(end)).toBe(expected);
  });
});

describe("Electron's binary", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tandem-electron-'));
    mkdirSync(join(root, 'node_modules', 'electron', 'dist'), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const hour = 60 * 60 * 1000;

  it('counts only when its unpacking was completed', () => {
    const look = { root, env: {}, platform: 'linux' };
    const path = join(root, 'node_modules', 'electron', 'dist', 'electron');
    writeFileSync(path, '');
    expect(findElectron(look)).toBeUndefined();
    writeFileSync(join(root, 'node_modules', 'electron', 'path.txt'), 'electron');
    expect(findElectron(look)).toBe(path);
    rmSync(path);
    expect(findElectron(look)).toBeUndefined();
  });

  it('may be in another folder', () => {
    writeFileSync(join(root, 'electron'), '');
    const env = { ELECTRON_OVERRIDE_DIST_PATH: root };
    expect(findElectron({ root, env, platform: 'linux' })).toBe(join(root, 'electron'));
  });

  it('is not downloaded again for a day after a failure, unless its version changes', () => {
    rememberFailure(root, { version: '45.0.0', now: 1000, reason: 'no network' });
    expect(rememberedFailure(root, { version: '45.0.0', now: 1000 + 23 * hour })).toEqual({
      reason: 'no network',
    });
    expect(rememberedFailure(root, { version: '45.0.0', now: 1000 + 24 * hour })).toBeUndefined();
    expect(rememberedFailure(root, { version: '45.0.1', now: 2000 })).toBeUndefined();
    forgetFailure(root);
    expect(rememberedFailure(root, { version: '45.0.0', now: 2000 })).toBeUndefined();
  });
});
