import { describe, expect, it } from 'vitest';
import { popoverBounds } from '../../src/main/electron/popover-position';
import { startShell } from '../support/shell-fixture';

const mac = { x: 0, y: 25, width: 1440, height: 875 };

describe('place of the popover', () => {
  it.each([
    ['under the icon', { x: 700, y: 0, width: 30, height: 24 }, mac, 'darwin', { x: 505, y: 29 }],
    ['not over the right edge', { x: 1400, y: 0, width: 30, height: 24 }, mac, 'darwin', { x: 1012, y: 29 }],
    ['not over the left edge', { x: 5, y: 0, width: 30, height: 24 }, mac, 'darwin', { x: 8, y: 29 }],
    [
      'on a second screen to the left',
      { x: -800, y: 0, width: 30, height: 24 },
      { x: -1920, y: 25, width: 1920, height: 1055 },
      'darwin',
      { x: -995, y: 29 },
    ],
    [
      'over a bar at the bottom',
      { x: 1200, y: 860, width: 24, height: 40 },
      { x: 0, y: 0, width: 1440, height: 860 },
      'win32',
      { x: 1002, y: 212 },
    ],
    [
      'in the corner where the icon is unknown',
      { x: 0, y: 0, width: 0, height: 0 },
      { x: 0, y: 30, width: 1920, height: 1050 },
      'linux',
      { x: 1492, y: 38 },
    ],
  ] as const)('%s', (_where, tray, workArea, platform, place) => {
    expect(popoverBounds({ tray, workArea, platform })).toEqual({ ...place, width: 420, height: 640 });
  });

  it('shrinks on a screen that is too low for it', () => {
    const workArea = { x: 0, y: 25, width: 800, height: 575 };
    const bounds = popoverBounds({
      tray: { x: 400, y: 0, width: 30, height: 24 },
      workArea,
      platform: 'darwin',
    });
    expect(bounds.height).toBe(559);
    expect(bounds.y + bounds.height).toBeLessThanOrEqual(600);
  });
});

describe('the popover', () => {
  it('opens under the icon on a click and closes on the next', async () => {
    const { electron } = await startShell();
    expect(electron.window.isVisible()).toBe(false);
    electron.tray.emit('click');
    expect(electron.window.isVisible()).toBe(true);
    expect(electron.window.bounds).toEqual({ x: 505, y: 29, width: 420, height: 640 });
    electron.tray.emit('click');
    expect(electron.window.isVisible()).toBe(false);
  });

  it('closes when it loses the focus, and stays closed if a click on the icon took it', async () => {
    const { electron, clock } = await startShell();
    electron.tray.emit('click');
    electron.window.blur();
    expect(electron.window.isVisible()).toBe(false);
    electron.tray.emit('click');
    expect(electron.window.isVisible()).toBe(false);
    await clock.advance(300);
    electron.tray.emit('click');
    expect(electron.window.isVisible()).toBe(true);
  });

  it('is hidden by the page (Escape) and never closed', async () => {
    const { electron, shell } = await startShell();
    shell.showWindow();
    shell.hideWindow();
    expect(electron.window.isVisible()).toBe(false);
  });

  it('comes back when a second instance is started', async () => {
    const { electron } = await startShell();
    electron.app.emit('second-instance');
    expect(electron.window.isVisible()).toBe(true);
  });

  it('reloads a page that crashed, but not one that keeps crashing', async () => {
    const { electron, clock } = await startShell();
    const contents = electron.window.webContents;
    contents.emit('render-process-gone', {}, { reason: 'crashed' });
    contents.emit('render-process-gone', {}, { reason: 'crashed' });
    expect(contents.reloads).toBe(1);
    await clock.advance(6_000);
    contents.emit('render-process-gone', {}, { reason: 'oom' });
    expect(contents.reloads).toBe(2);
  });

  it('gets every push of the core', async () => {
    const { electron, core } = await startShell();
    core.pushes.emit({ name: 'chatChanged', payload: { chatId: 'c' } });
    expect(electron.window.webContents.sent).toEqual([{ name: 'chatChanged', payload: { chatId: 'c' } }]);
  });
});
