import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Shell } from '../../src/main/core/place';
import { runApp } from '../../src/main/electron/run-app';
import { TandemError } from '../../src/shared/errors';
import { FakeClock, settle } from '../support/fake-clock';
import { type FakeElectron, fakeElectron } from '../support/fake-electron';
import {
  RecordingCore,
  settingsView,
  shellOptions,
  snapshotWith,
  startShell,
} from '../support/shell-fixture';

async function run(
  prepare: (electron: FakeElectron, core: RecordingCore) => void = () => {},
  checkDataFolder: () => void = () => {},
) {
  const electron = fakeElectron();
  const core = new RecordingCore(snapshotWith());
  const clock = new FakeClock();
  const process = Object.assign(new EventEmitter(), { ppid: 77 });
  let hostSide: Shell | null = null;
  prepare(electron, core);
  await runApp({
    ...shellOptions(electron, clock),
    userDataDir: '/data/chromium',
    checkDataFolder,
    process: process as never,
    assemble: async (shell) => {
      hostSide = shell;
      return core.running();
    },
  });
  return { electron, core, clock, process, hostSide: () => hostSide };
}

describe('the life of the app', () => {
  it('shows itself when the user starts it, not at login', async () => {
    expect((await run()).electron.window.isVisible()).toBe(true);
    const atLogin = await run((electron) => {
      electron.app.openedAtLogin = true;
    });
    expect(atLogin.electron.window.isVisible()).toBe(false);
  });

  it('exits when it is a second instance', async () => {
    const { electron, hostSide } = await run(({ app }) => {
      app.firstInstance = false;
    });
    expect(hostSide()).toBeNull();
    expect(electron.app.exitCode).toBe(0);
  });

  it('stores no Chromium data in a data folder of another program', async () => {
    const { electron, hostSide } = await run(
      () => {},
      () => {
        throw new TandemError('data_dir_foreign', '/home/me has files of another program in it.');
      },
    );
    expect(electron.errors).toEqual(['/home/me has files of another program in it.']);
    expect(electron.app.exitCode).toBe(1);
    expect(electron.app.paths.userData).toBeUndefined();
    expect(hostSide()).toBeNull();
  });

  it('reports why the core cannot start, and exits', async () => {
    const { electron, core } = await run((_electron, broken) => {
      broken.startError = new TandemError('port_taken', 'Port 11436 is taken by nginx (process 7). Stop it.');
    });
    expect(electron.errors).toEqual(['Port 11436 is taken by nginx (process 7). Stop it.']);
    expect(core.stopped).toBe(1);
    expect(electron.app.exitCode).toBe(1);
  });

  it.each([
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ])('stops the core once before it ends on %s', async (signal, status) => {
    const { electron, core, process } = await run();
    process.emit(signal);
    process.emit(signal);
    expect(electron.app.exitCode).toBeNull();
    await settle();
    expect(core.stopped).toBe(1);
    expect(electron.app.exitCode).toBe(status);
    expect(electron.tray.destroyed).toBe(true);
  });

  it('ends in time even if the core hangs', async () => {
    const { electron, clock, hostSide } = await run((_electron, core) => {
      core.closing = new Promise(() => {});
    });
    hostSide()?.quit();
    await clock.advance(8_999);
    expect(electron.app.exitCode).toBeNull();
    await clock.advance(1);
    expect(electron.app.exitCode).toBe(0);
  });

  it('ends with the process that started it, unless it is a packaged app', async () => {
    for (const isPackaged of [false, true]) {
      const { electron, clock, process } = await run(({ app }) => {
        app.isPackaged = isPackaged;
      });
      process.ppid = 1;
      await clock.advance(2_000);
      expect(electron.app.exitCode).toBe(isPackaged ? null : 0);
    }
  });

  it('lets the page hide the window, open https links and show folders', async () => {
    const { electron, hostSide } = await run();
    hostSide()?.hideWindow();
    expect(electron.window.isVisible()).toBe(false);
    await hostSide()?.openExternal('https://example.com/a');
    for (const bad of [
      'http://example.com',
      'file:///etc/passwd',
      'javascript:1',
      'https://a:b@example.com',
      'x',
    ]) {
      await expect(hostSide()?.openExternal(bad)).rejects.toMatchObject({ code: 'unsupported' });
    }
    await hostSide()?.showFolder('/models/some');
    expect(electron.opened).toEqual(['https://example.com/a', '/models/some']);
  });

  it('tells the core that the machine woke up', async () => {
    const { electron, core } = await run();
    electron.powerMonitor.emit('resume');
    expect(core.resumed).toBe(1);
  });
});

describe('settings of the system', () => {
  it('register the shortcut of the popover, and remove it again', async () => {
    const { electron, core } = await startShell();
    electron.shortcuts.get('Alt+Space')?.();
    expect(electron.window.isVisible()).toBe(true);
    core.patch({ settings: settingsView({ globalShortcut: 'Ctrl+Shift+T' }) });
    expect([...electron.shortcuts.keys()]).toEqual(['Ctrl+Shift+T']);
    for (const bad of ['nonsense', 'taken', '']) {
      core.patch({ settings: settingsView({ globalShortcut: bad }) });
      expect(electron.shortcuts.size).toBe(0);
    }
  });

  it('start the packaged app at login', async () => {
    const { electron, core } = await startShell();
    core.patch({ settings: settingsView({ openAtLogin: true }) });
    expect(electron.app.openAtLogin).toBe(true);
  });
});
