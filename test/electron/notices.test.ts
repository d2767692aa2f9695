import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/shared/contract';
import { FakeNotification } from '../support/fake-electron';
import { backendStatus } from '../support/gateway-fixture';
import { settingsView, startShell } from '../support/shell-fixture';

const ollama = backendStatus('ollama', { state: 'adopted' });
const mlx = (change: Parameters<typeof backendStatus>[1]): Partial<Snapshot> => ({
  backends: [backendStatus('mlx', change), ollama],
});
const opened = mlx({ state: 'open', breaker: { state: 'open', nextTryAt: null } });
const probed = mlx({ state: 'starting', breaker: { state: 'half_open', nextTryAt: null } });
const setup = (stage: string): Partial<Snapshot> => ({
  setup: [{ part: 'mlx', stage, detail: '', percent: null, elapsedMs: 1 }],
});

describe('notifications', () => {
  it('are not shown for problems that Tandem repairs itself', async () => {
    const { electron, core } = await startShell();
    for (const state of ['backoff', 'starting', 'hung', 'ready'] as const) core.patch(mlx({ state }));
    core.patch(setup('install'));
    expect(electron.notifications).toEqual([]);
  });

  it('report a breaker once, through all its probes, and again when it reopens', async () => {
    const { electron, core } = await startShell();
    for (const patch of [opened, opened, probed, opened]) core.patch(patch);
    expect(electron.notifications.map(({ title }) => title)).toEqual(['MLX has stopped']);
    core.patch(mlx({ state: 'ready' }));
    expect(electron.notifications[0]?.closed).toBe(true);
    core.patch(opened);
    expect(electron.notifications).toHaveLength(2);
  });

  it.each([
    ['en', 'ready', 'Ollama answers meanwhile.'],
    ['en', 'backoff', 'No other server can answer now.'],
    ['ru', 'ready', 'Пока отвечает Ollama.'],
    ['ru', 'backoff', 'Другого сервера сейчас нет.'],
  ] as const)(
    'name the server that replaces a stopped one, if any: %s, Ollama is %s',
    async (language, state, words) => {
      const { electron, core } = await startShell();
      const mlx = backendStatus('mlx', { state: 'open', breaker: { state: 'open', nextTryAt: null } });
      core.patch({
        backends: [mlx, backendStatus('ollama', { state })],
        settings: settingsView({ language }),
      });
      expect(electron.notifications.map(({ body }) => body)).toEqual([expect.stringContaining(words)]);
    },
  );

  it('report a failed set-up, in the language of the app', async () => {
    const { electron, core } = await startShell();
    core.patch({ ...setup('failed'), settings: settingsView({ language: 'ru' }) });
    expect(electron.notifications.map(({ title }) => title)).toEqual(['Установить MLX не удалось']);
  });

  it('open Status', async () => {
    const { electron, core } = await startShell();
    core.patch(opened);
    electron.notifications[0]?.emit('click');
    expect(electron.window.isVisible()).toBe(true);
    expect(electron.window.webContents.sent.at(-1)).toEqual({
      name: 'navigate',
      payload: { view: 'status' },
    });
  });

  it('are not needed while the window is open, nor later for the same event', async () => {
    const { electron, core, shell } = await startShell();
    shell.showWindow();
    core.patch(opened);
    shell.hideWindow();
    core.patch(probed);
    expect(electron.notifications).toEqual([]);
  });

  it('are left out where the system has none', async () => {
    const { electron, core } = await startShell();
    FakeNotification.supported = false;
    core.patch(opened);
    expect(electron.notifications).toEqual([]);
  });
});
