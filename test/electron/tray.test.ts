import { describe, expect, it } from 'vitest';
import { ElectronShell } from '../../src/main/electron/shell';
import type { Snapshot } from '../../src/shared/contract';
import { FakeClock, settle } from '../support/fake-clock';
import { type FakeElectron, fakeElectron } from '../support/fake-electron';
import { backendStatus, memoryStatus, queueStats } from '../support/gateway-fixture';
import {
  RecordingCore,
  settingsView,
  shellOptions,
  snapshotWith,
  startShell,
} from '../support/shell-fixture';

function rightClick(electron: FakeElectron) {
  electron.tray.emit('right-click');
  if (!electron.tray.shownMenu) throw new Error('no menu came up');
  return electron.tray.shownMenu;
}

const ollama = backendStatus('ollama', { state: 'adopted' });
const queue = (running: number, depth: number) => ({ stats: queueStats({ running, depth }), entries: [] });

describe('the icon', () => {
  it.each<[string, Partial<Snapshot>, string]>([
    ['all is well', {}, 'healthy'],
    ['a request runs', { queue: queue(1, 0) }, 'busy'],
    ['a request waits', { queue: queue(0, 2) }, 'busy'],
    [
      'MLX restarts',
      { backends: [backendStatus('mlx', { state: 'backoff' }), ollama], queue: queue(1, 0) },
      'degraded',
    ],
    ['MLX starts', { backends: [backendStatus('mlx', { state: 'starting' }), ollama] }, 'degraded'],
    ['the breaker is open', { backends: [backendStatus('mlx', { state: 'open' }), ollama] }, 'attention'],
    [
      'nothing can answer',
      {
        backends: [backendStatus('mlx', { state: 'backoff' }), backendStatus('ollama', { state: 'absent' })],
      },
      'attention',
    ],
    ['memory is nearly full', { memory: memoryStatus({ pressure: 'critical' }) }, 'attention'],
    [
      'Ollama is off on purpose',
      {
        backends: [backendStatus('mlx'), backendStatus('ollama', { state: 'absent' })],
        settings: settingsView({ useBackends: 'mlx' }),
      },
      'healthy',
    ],
  ])('when %s', async (_when, patch, shape) => {
    const { electron, core } = await startShell();
    core.patch(patch);
    expect(electron.tray.image.path).toBe(`/app/resources/tray/${shape}Template.png`);
  });

  it('describes the state in words, in both languages', async () => {
    const { electron, core } = await startShell();
    core.patch({ backends: [backendStatus('mlx', { state: 'backoff' }), ollama], queue: queue(1, 2) });
    expect(electron.tray.tooltip).toBe('Tandem\nMLX: restarting soon\nOllama: ready\nanswering 1\n2 waiting');
    core.patch({ settings: settingsView({ language: 'ru' }) });
    expect(electron.tray.tooltip).toBe(
      'Tandem\nMLX: скоро перезапустится\nOllama: готов\nв работе: 1\nв очереди: 2',
    );
  });
});

describe('the menu', () => {
  it.each(['darwin', 'linux'] as const)('does not come up before the state is known, on %s', (platform) => {
    const electron = fakeElectron();
    const core = new RecordingCore(snapshotWith());
    new ElectronShell(shellOptions(electron, new FakeClock(), platform), core.running());
    electron.tray.emit('right-click');
    expect([electron.tray.shownMenu, electron.tray.contextMenu]).toEqual([null, null]);
  });

  it('names the servers that quitting stops: ours, not adopted ones', async () => {
    const { electron } = await startShell();
    expect(rightClick(electron).item('quit')).toMatchObject({
      label: 'Quit Tandem (stops MLX)',
      accelerator: 'CmdOrCtrl+Q',
    });
  });

  it('opens the window, and the settings in it', async () => {
    const { electron } = await startShell();
    rightClick(electron).click('open');
    expect(electron.window.isVisible()).toBe(true);
    electron.window.hide();
    rightClick(electron).click('settings');
    expect(electron.window.isVisible()).toBe(true);
    expect(electron.window.webContents.sent).toEqual([{ name: 'navigate', payload: { view: 'settings' } }]);
  });

  it('restarts MLX and switches only-light', async () => {
    const { electron, core } = await startShell();
    rightClick(electron).click('restart-mlx');
    expect(rightClick(electron).item('only-light').checked).toBe(true);
    rightClick(electron).click('only-light');
    await settle();
    expect(core.told).toEqual([
      { name: 'backendRestart', input: { backend: 'mlx' } },
      { name: 'settingsSet', input: { key: 'mlxOnlyLight', value: false } },
    ]);
    core.patch({ settings: settingsView({ mlxOnlyLight: false }) });
    expect(rightClick(electron).item('only-light').checked).toBe(false);
  });

  it('does not offer a setting that the environment overrides', async () => {
    const settings = settingsView();
    settings.mlxOnlyLight = { ...settings.mlxOnlyLight, source: 'environment' };
    const { electron, core } = await startShell(snapshotWith({ settings }));
    const menu = rightClick(electron);
    expect(menu.item('only-light')).toMatchObject({ enabled: false });
    expect(menu.item('only-light').label).toContain('set by the environment');
    menu.click('only-light');
    expect(core.told).toEqual([]);
  });

  it('has the keys of the app while the window has the focus', async () => {
    const { electron } = await startShell();
    expect(electron.menu.item('settings').accelerator).toBe('CmdOrCtrl+,');
    electron.menu.click('settings');
    expect(electron.window.isVisible()).toBe(true);
    electron.menu.click('hide');
    expect(electron.window.isVisible()).toBe(false);
  });

  it('is attached beforehand on Linux, which reports no clicks', async () => {
    const { electron } = await startShell(snapshotWith(), 'linux');
    electron.tray.contextMenu?.click('open');
    expect(electron.window.isVisible()).toBe(true);
  });
});
