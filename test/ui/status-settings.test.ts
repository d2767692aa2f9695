import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { VIEWS } from '../../src/renderer/stores/ui-store';
import type { BackendInstance } from '../../src/shared/domain';
import { INSTANCES } from '../support/backends';
import { FakeCore } from '../support/fake-bridge';
import {
  answerMeta,
  backendStatus,
  fakeAnswer,
  fakeSnapshot,
  memoryStatus,
  settingsView,
} from '../support/fake-snapshot';
import { overflowing, poorControls } from '../support/page-checks';
import { paleTexts } from '../support/pale-texts';
import { uiPage } from '../support/ui-page';

const ui = uiPage();
let page: Page;
let core: FakeCore;
beforeEach(() => {
  page = ui.page;
});

async function open(view: 'status' | 'settings', next: FakeCore = new FakeCore()): Promise<void> {
  core = next;
  await ui.open(core, view);
}

const mlx = () => page.getByTestId('status-mlx');
const onlyLight = () => page.getByTestId('mlx-only-light');

describe('status', () => {
  it('shows the state of both servers, memory and queue in words and in data', async () => {
    await open('status');
    expect(await mlx().getAttribute('data-state')).toBe('ready');
    expect(await mlx().getAttribute('data-model')).toBe('mlx-community/Phi-3.5-mini-instruct-4bit');
    expect(await mlx().innerText()).toContain('3 h 12 min');
    expect(await mlx().innerText()).toContain('1 of 10');
    const ollama = page.getByTestId('status-ollama');
    expect(await ollama.getAttribute('data-state')).toBe('adopted');
    expect(await ollama.innerText()).toContain('found running on port 11434');
    expect(await page.getByTestId('memory-pressure').getAttribute('data-percent')).toBe('57');
    expect(await page.getByTestId('memory-pressure').innerText()).toContain('57% of 96 GB');
    expect(await page.getByTestId('queue-depth').getAttribute('data-depth')).toBe('0');
  });

  it('shows a third server under its title, with its memory', async () => {
    const studio: BackendInstance = { id: 'studio', kind: 'ollama', role: 'heavy', title: 'Studio' };
    const bytes = { ...memoryStatus().backendBytes, studio: 9.2 * 1024 ** 3 };
    const snapshot = fakeSnapshot({
      instances: [...INSTANCES, studio],
      backends: [backendStatus('mlx'), backendStatus('ollama'), backendStatus('studio')],
      memory: memoryStatus({ backendBytes: bytes }),
    });
    await open('status', new FakeCore(snapshot));
    const card = page.getByTestId('status-studio');
    expect(await card.getAttribute('data-state')).toBe('adopted');
    expect(await card.innerText()).toContain('Studio');
    expect(await page.getByTestId('memory-pressure').innerText()).toContain('Studio 9.2 GB');
  });

  it('restarts MLX, shows its stages, and announces the change', async () => {
    await open('status');
    await page.getByTestId('restart-mlx').click();
    await expect.poll(() => core.called('backendRestart')).toEqual([{ backend: 'mlx' }]);
    const starting = backendStatus('mlx', { state: 'starting', stage: 'loading', readySince: null });
    await core.patch({ backends: [starting, backendStatus('ollama')] });
    await expect.poll(() => mlx().locator('[aria-current=step]').innerText()).toContain('Load model');
    await expect.poll(() => page.locator('[aria-live=polite]').textContent()).toBe('MLX: loading model');
    await core.patch({ backends: [backendStatus('mlx'), backendStatus('ollama')] });
    await expect.poll(() => mlx().locator('[aria-current=step]').count()).toBe(0);
    await expect.poll(() => page.locator('[aria-live=polite]').textContent()).toBe('MLX: ready');
  });

  it('shows the last problem with its cure first and its code one click behind', async () => {
    const lastError = {
      code: 'out_of_memory',
      message: 'signal SIGABRT, Metal: Insufficient Memory',
      at: Date.now(),
    };
    const open10 = backendStatus('mlx', { state: 'open', restarts: 10, lastError, readySince: null });
    await open('status', new FakeCore(fakeSnapshot({ backends: [open10, backendStatus('ollama')] })));
    expect(await mlx().innerText()).toContain('It ran out of GPU memory.');
    expect(await mlx().getByText('SIGABRT').isVisible()).toBe(false);
    await mlx().getByText('Details').click();
    expect(await mlx().getByText('SIGABRT').isVisible()).toBe(true);
    expect(await page.getByTestId('restart-mlx').innerText()).toBe('Try again');
  });

  it('shows the set-up while a part is not ready, and the cure for a failed part', async () => {
    await open('status');
    const part = { detail: '31 packages', percent: 64, elapsedMs: 5_000 };
    await core.patch({
      setup: [
        { part: 'mlx', stage: 'install', ...part },
        { part: 'ollama', stage: 'failed', ...part, code: 'no_go', cure: 'Install Go, then try again.' },
      ],
    });
    await page.getByText('or Go 1.26 or newer to have it built').waitFor();
    expect(
      await page.getByRole('progressbar', { name: 'MLX: Installing' }).getAttribute('aria-valuenow'),
    ).toBe('64');
    await core.patch({ setup: [{ part: 'mlx', stage: 'ready', ...part }] });
    await expect.poll(() => page.getByText('Setting up').count()).toBe(0);
  });
});

describe('settings', () => {
  it('flips MLX_ONLY_LIGHT, states the risk, and offers the restart that it needs', async () => {
    await open('settings');
    expect(await onlyLight().getAttribute('role')).toBe('switch');
    expect(await onlyLight().getAttribute('aria-checked')).toBe('true');
    await onlyLight().click();
    await expect.poll(() => onlyLight().getAttribute('aria-checked')).toBe('false');
    expect(core.called('settingsSet')).toEqual([{ key: 'mlxOnlyLight', value: false }]);
    const row = page.locator('[data-setting=mlxOnlyLight]');
    expect(await row.innerText()).toContain(
      'Long messages can exhaust GPU memory and stop it; Ollama then answers.',
    );
    expect(await row.innerText()).toContain('Takes effect when MLX restarts');
    await row.getByRole('button', { name: 'Restart now' }).click();
    await expect.poll(() => core.called('backendRestart')).toEqual([{ backend: 'mlx' }]);
    await row.getByRole('button', { name: 'Switch back on' }).click();
    await expect.poll(() => onlyLight().getAttribute('aria-checked')).toBe('true');
  });

  it('names the variable that overrides a value and makes it read-only', async () => {
    const settings = settingsView();
    const held = settings.mlxOnlyLight;
    if (held) settings.mlxOnlyLight = { ...held, source: 'environment' };
    await open('settings', new FakeCore(fakeSnapshot({ settings })));
    expect(await onlyLight().isDisabled()).toBe(true);
    const row = page.locator('[data-setting=mlxOnlyLight]');
    expect(await row.innerText()).toContain('set by MLX_ONLY_LIGHT');
    expect(await row.getByRole('button', { name: /Reset/ }).count()).toBe(0);
  });

  it('offers installed models per category, and resets to the default', async () => {
    const settings = settingsView({ ollamaModelCoding: 'gone:7b' });
    await open('settings', new FakeCore(fakeSnapshot({ settings })));
    const coding = page.getByRole('combobox', { name: 'Coding on Ollama' });
    expect(await coding.locator('option').allInnerTexts()).toEqual([
      'Best installed',
      'gone:7b (not installed)',
      'qwen2.5-coder:32b · 20 GB',
      'llama3.3:70b · 43 GB · tight next to the others',
    ]);
    await coding.selectOption('llama3.3:70b');
    await expect
      .poll(() => core.called('settingsSet'))
      .toEqual([{ key: 'ollamaModelCoding', value: 'llama3.3:70b' }]);
    await page.getByRole('button', { name: 'Reset “Coding” to its default' }).click();
    await expect.poll(() => core.called('settingsReset')).toEqual([{ key: 'ollamaModelCoding' }]);
  });

  it('offers heavier models on MLX only while they may load there', async () => {
    await open('settings');
    const coding = page.getByLabel('Coding on MLX');
    await expect.poll(() => coding.count()).toBe(0);
    await onlyLight().click();
    await coding.selectOption('mlx-community/Phi-3.5-mini-instruct-4bit');
    expect(core.called('settingsSet').at(-1)).toMatchObject({ key: 'mlxModelCoding' });
    await page.getByLabel('Fast on Ollama').waitFor();
  });

  it('adds and removes model folders, and shows the result of the scan', async () => {
    await open('settings');
    const path = page.getByLabel('Path of a folder with models');
    await path.fill('models');
    await page.keyboard.press('Enter');
    await page.getByText('Give the full path').waitFor();
    await path.fill('/data/models/');
    await page.keyboard.press('Enter');
    await page.getByText('/data/models', { exact: true }).waitFor();
    expect(core.called('settingsSet')).toEqual([{ key: 'modelFolders', value: ['/data/models'] }]);
    const [first] = core.snapshot.models;
    await core.patch({ models: [...core.snapshot.models, { ...first, name: 'org/gemma-2b' } as never] });
    await page.getByText('MLX knows 2 models: Phi-3.5-mini, gemma-2b').waitFor();
    await page.getByRole('button', { name: 'Remove /data/models from the list' }).click();
    expect(core.called('settingsSet').at(-1)).toEqual({ key: 'modelFolders', value: [] });
  });

  it('requires consent to add to a foreign Ollama, and to no other', async () => {
    await open('settings');
    await page.getByRole('switch', { name: 'Small model in Ollama' }).click();
    expect(core.called('settingsSet').at(-1)).toEqual({ key: 'smallModelInAdopted', value: true });
    await core.patch({ backends: [backendStatus('mlx'), backendStatus('ollama', { ownership: 'managed' })] });
    await expect.poll(() => page.getByRole('switch', { name: 'Small model in Ollama' }).count()).toBe(0);
  });

  it('removes the built-in model and downloads it again', async () => {
    await open('settings');
    const kept = page.getByRole('switch', { name: 'Built-in small model' });
    await kept.click();
    expect(core.called('settingsSet').at(-1)).toEqual({ key: 'smallModel', value: false });
    await expect.poll(() => kept.getAttribute('aria-checked')).toBe('false');
    expect(await page.getByRole('switch', { name: 'Small model in Ollama' }).count()).toBe(0);
    await kept.click();
    expect(core.called('settingsSet').at(-1)).toEqual({ key: 'smallModel', value: true });
  });

  it('folds rarely used settings, and explains each row', async () => {
    await open('settings');
    const limit = page.getByRole('spinbutton', { name: 'Longest answer' });
    await expect.poll(() => limit.isVisible()).toBe(false);
    await page.getByText('Advanced', { exact: true }).click();
    await limit.fill('900');
    await limit.press('Enter');
    expect(core.called('settingsSet').at(-1)).toEqual({ key: 'requestTimeoutS', value: 900 });
  });

  it('translates the English messages of the core into Russian', async () => {
    const part = { percent: null, elapsedMs: 1_000 };
    await open(
      'status',
      new FakeCore(
        fakeSnapshot({
          settings: settingsView({ language: 'ru' }),
          backends: [
            backendStatus('mlx'),
            backendStatus('ollama', {
              state: 'absent',
              absence: {
                code: 'no_go',
                cure: 'Install the Ollama app (or run: brew install ollama) and start Tandem again.',
                details: { command: 'brew install ollama' },
              },
            }),
          ],
          setup: [
            {
              ...part,
              part: 'mlx',
              stage: 'failed',
              detail: 'No network.',
              code: 'install_failed',
              cure: 'Check the network.',
            },
          ],
          warnings: [
            {
              code: 'port_taken',
              message: 'Port 11437 is taken; the UI is at http://127.0.0.1:11438 instead.',
              details: { port: 11437, holder: null, pid: null, url: 'http://127.0.0.1:11438' },
            },
          ],
        }),
      ),
    );
    await page.getByText('Пакеты установить не удалось').waitFor();
    await page.getByText('выполните brew install ollama').waitFor();
    await page.getByText('Порт 11437 занят, поэтому страница открыта').waitFor();
    expect(await page.locator('main').innerText()).not.toMatch(/network|Install|instead/);
  });

  it('accepts only numbers within their bounds', async () => {
    await open('settings');
    const warning = page.getByRole('spinbutton', { name: 'Memory warning' });
    await warning.fill('180');
    await warning.press('Enter');
    await page.getByText('A number from 1 to 100').waitFor();
    expect(await warning.inputValue()).toBe('180');
    await warning.press('Escape');
    await expect.poll(() => warning.inputValue()).toBe('85');
    await warning.fill('80');
    await warning.press('Enter');
    await expect.poll(() => core.called('settingsSet')).toEqual([{ key: 'memoryWarningPercent', value: 80 }]);
  });

  it('states the risk of wired memory, when it acts, and its limits', async () => {
    await open('settings');
    const row = page.locator('[data-setting=mlxWiredPercent]');
    expect(await row.innerText()).toContain('wired memory is what makes macOS crash');
    const field = row.getByRole('spinbutton');
    await field.fill('66');
    await field.press('Enter');
    await row.getByText('A number from 0 to 65').waitFor();
    await field.fill('40');
    await field.press('Enter');
    await expect.poll(() => core.called('settingsSet')).toEqual([{ key: 'mlxWiredPercent', value: 40 }]);
    await row.getByText('Takes effect when MLX restarts').waitFor();
    expect(await page.locator('[data-setting=mlxMaxConcurrent]').innerText()).toContain(
      'only while MLX wires no memory',
    );
  });

  it('changes language and theme at once', async () => {
    await open('settings');
    await page.getByRole('combobox', { name: 'Language' }).selectOption('ru');
    await page.getByRole('button', { name: 'Настройки' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('ru');
    const before = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.getByRole('combobox', { name: 'Тема' }).selectOption('dark');
    await expect
      .poll(() => page.evaluate(() => getComputedStyle(document.body).backgroundColor))
      .not.toBe(before);
    await core.patch({ memory: memoryStatus({ usedPercent: 61 }) });
    await page.getByTestId('nav-status').click();
    await page.getByText(/61\s%\sиз\s96\sГБ/).waitFor();
  });

  it('explains why a setting of the Mac app is off, and removes a runtime after confirmation', async () => {
    await open('settings');
    const login = page.getByRole('switch', { name: 'Start at login' });
    expect(await login.isDisabled()).toBe(true);
    expect(await page.locator('[data-setting=openAtLogin]').innerText()).toContain('Only in the Mac app.');
    expect(await page.getByRole('button', { name: 'Remove mlx 0.29.1' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Remove ollama 0.12.6' }).click();
    expect(core.called('runtimesRemove')).toEqual([]);
    await page.getByRole('button', { name: 'Remove now' }).click();
    await expect.poll(() => core.called('runtimesRemove')).toEqual([{ name: 'ollama', version: '0.12.6' }]);
  });
});

describe('every view', () => {
  it.each(VIEWS)('%s: names its controls and keeps them big enough', async (view) => {
    await open('status');
    await page.getByTestId(`nav-${view}`).click();
    expect(await page.evaluate(poorControls)).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('has a contrast of 4.5 and more: %s', async (theme) => {
    await page.emulateMedia({ colorScheme: theme });
    const next = new FakeCore(fakeSnapshot({ settings: settingsView({ mlxOnlyLight: false }) }));
    const error = { code: 'timeout', message: '', details: {} };
    const meta = answerMeta({
      source: 'mlx',
      model: 'phi',
      reasons: ['rule:greeting', 'fallback:ollama-down'],
      error,
    });
    next.addChat({ id: 'chat-1', title: 'Talk', preview: 'Words' }, [
      { role: 'user', id: 'u1', chatId: 'chat-1', text: 'hello', at: 1 },
      fakeAnswer({
        id: 'a1',
        replyTo: 'u1',
        status: 'failed',
        text: 'With `code` and\n\n```js\nx\n```',
        meta,
      }),
    ]);
    await page.addInitScript(() => sessionStorage.setItem('tandem.chat', 'chat-1'));
    await page.setViewportSize({ width: 1100, height: 900 });
    await open('status', next);
    for (const view of VIEWS) {
      await page.getByTestId(`nav-${view}`).click();
      expect(await page.evaluate(paleTexts)).toEqual([]);
    }
  });

  it.each([
    ['popover at 200 %', 210, 320],
    ['three columns at their narrowest', 720, 600],
  ])('%s: nothing overflows', async (_, width, height) => {
    await page.setViewportSize({ width, height });
    await open('status');
    for (const view of VIEWS) {
      await page.getByTestId(`nav-${view}`).click();
      expect(await page.evaluate(overflowing)).toEqual([]);
    }
  });
});
