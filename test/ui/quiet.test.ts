import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/shared/contract';
import { FakeCore } from '../support/fake-bridge';
import {
  answerMeta,
  backendStatus,
  fakeAnswer,
  fakeDownload,
  fakeSnapshot,
  settingsView,
} from '../support/fake-snapshot';
import { uiPage } from '../support/ui-page';

/** Nothing flashes, covers, squeezes or stays longer than it should. */

const ui = uiPage();
const LONG = `some-organisation/a-model-whose-name-goes-on-${'and-on-'.repeat(20)}instruct`;

describe('the first paint', () => {
  it('is in the language of the settings, although they arrive late', async () => {
    await ui.page.clock.install();
    await ui.page.clock.pauseAt(new Date('2030-01-01T00:00:00Z'));
    const core = new FakeCore(fakeSnapshot({ settings: settingsView({ language: 'ru', theme: 'dark' }) }));
    const late = Promise.withResolvers<void>();
    core.handlers.snapshot = async () => {
      await late.promise;
      return { revision: core.revision, snapshot: core.snapshot };
    };
    await ui.page.addInitScript(() => {
      const seen: string[] = [];
      Object.assign(window, { seen });
      new MutationObserver(() => {
        if (document.body?.innerText)
          seen.push(`${document.documentElement.lang} ${document.documentElement.dataset.theme}`);
      }).observe(document, { childList: true, subtree: true, characterData: true });
    });
    await core.install(ui.page);
    await ui.page.goto(ui.url);
    await expect.poll(() => core.called('snapshot').length).toBe(1);
    await ui.page.clock.runFor(900);
    expect(await ui.page.evaluate(() => document.body.innerText)).toBe('');
    late.resolve();
    await ui.page.getByTestId('nav-chat').waitFor();
    const seen = await ui.page.evaluate(() => (window as unknown as { seen: string[] }).seen);
    expect([...new Set(seen)]).toEqual(['ru dark']);
    expect(await ui.page.getByTestId('nav-chat').innerText()).toBe('Чат');
  });

  it('happens without the settings when they never arrive', async () => {
    await ui.page.clock.install();
    const core = new FakeCore();
    core.handlers.snapshot = () => new Promise(() => {});
    await core.install(ui.page);
    await ui.page.goto(ui.url);
    await expect.poll(() => core.called('snapshot').length).toBe(1);
    await ui.page.clock.fastForward(2_000);
    await ui.page.getByText('Connecting to Tandem').waitFor();
  });
});

describe('a long name of a model', () => {
  it.each([420, 320])('causes no overlap in a window of %i px', async (width) => {
    await ui.page.setViewportSize({ width, height: 640 });
    const core = new FakeCore(
      fakeSnapshot({
        backends: [backendStatus('mlx', { model: LONG }), backendStatus('ollama', { model: LONG })],
      }),
    );
    core.addChat({ id: 'chat-1', title: LONG }, [
      { role: 'user', id: 'u1', chatId: 'chat-1', text: 'hello', at: 1 },
      fakeAnswer({
        id: 'a1',
        replyTo: 'u1',
        text: 'Hello.',
        meta: answerMeta({
          source: 'ollama',
          model: LONG,
          ttftMs: 1_900,
          tokensPerSecond: 24,
          reasons: ['rule:greeting'],
        }),
      }),
    ]);
    const target = JSON.stringify({ kind: 'model', backend: 'mlx', model: LONG });
    await ui.page.addInitScript((text) => sessionStorage.setItem('tandem.target', text), target);
    await ui.openChat('chat-1', core);
    await ui.answer().waitFor();
    expect(await squeezed()).toEqual([]);
    await ui.page.getByTestId('nav-status').click();
    await ui.page.getByTestId('status-mlx').waitFor();
    expect(await squeezed()).toEqual([]);
  });

  /** Buttons and figures outside the window, truncated, or overlapping. */
  function squeezed(): Promise<string[]> {
    return ui.page.evaluate(() => {
      const wrong: string[] = [];
      if (document.documentElement.scrollWidth > innerWidth) wrong.push('the page is wider than the window');
      const shown = [...document.querySelectorAll('button, [data-testid="answer-label"] > .shrink-0')].filter(
        (element) => element.getClientRects().length > 0,
      );
      for (const element of shown) {
        const { left, right, width } = element.getBoundingClientRect();
        const name = element.getAttribute('aria-label') ?? element.textContent ?? '';
        if (left < 0 || right > innerWidth + 0.5) wrong.push(`${name} is out of the window`);
        if (width < 20) wrong.push(`${name} is ${Math.round(width)} px wide`);
        for (const other of shown) {
          if (other === element || other.contains(element) || element.contains(other)) continue;
          const beside = other.getBoundingClientRect();
          const { top, bottom } = element.getBoundingClientRect();
          if (
            beside.left < right - 1 &&
            beside.right > left + 1 &&
            beside.top < bottom - 1 &&
            beside.bottom > top + 1
          )
            wrong.push(`${name} lies over ${other.getAttribute('aria-label') ?? other.textContent}`);
        }
      }
      return wrong;
    });
  }
});

describe('a toast', () => {
  const toast = () => ui.page.locator('[role="status"] > div');

  async function withToast(): Promise<void> {
    const core = new FakeCore();
    core.addChat({ id: 'chat-1', title: 'Chat' }, [
      { role: 'user', id: 'u1', chatId: 'chat-1', text: 'hello', at: 1 },
      fakeAnswer({
        id: 'a1',
        replyTo: 'u1',
        text: 'Hello.\n\n'.repeat(30),
        meta: answerMeta({ source: 'mlx' }),
      }),
    ]);
    core.handlers.chatRetry = () => {
      throw Object.assign(new Error('full'), { code: 'disk_full' });
    };
    await ui.page.clock.install();
    await ui.openChat('chat-1', core);
    await ui.answer().getByRole('button', { name: 'Answer again' }).click();
    await toast().waitFor();
  }

  it('covers nothing', async () => {
    await withToast();
    const over = await toast().evaluate((element) => {
      const mine = element.getBoundingClientRect();
      const others = ['main', 'nav', 'section', '[data-testid="message-input"]'].flatMap((selector) => [
        ...document.querySelectorAll(selector),
      ]);
      return others
        .map((other) => ({ other, place: other.getBoundingClientRect() }))
        .filter(({ place }) => place.height > 0 && place.top < mine.bottom - 1 && place.bottom > mine.top + 1)
        .map(({ other }) => other.tagName);
    });
    expect(over).toEqual([]);
  });

  it('stays in the view in which it appeared', async () => {
    await withToast();
    await ui.page.getByTestId('nav-status').click();
    expect(await toast().count()).toBe(0);
    await ui.page.getByTestId('nav-chat').click();
    await toast().waitFor();
  });

  it('of a chat deleted in the drawer is shown in the drawer', async () => {
    const core = new FakeCore();
    for (const id of ['c1', 'c2']) core.addChat({ id, title: id });
    await ui.open(core);
    await ui.page.keyboard.press('Control+f');
    await ui.page.getByRole('button', { name: 'More about “c1”' }).click();
    await ui.page.getByRole('menuitem', { name: 'Delete' }).click();
    await ui.page.getByRole('dialog').getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => core.called('chatRestore')).toEqual([{ chatId: 'c1' }]);
  });
});

describe('a problem that is over', () => {
  const lastError = { code: 'out_of_memory', message: 'MLX ran out of memory.', at: Date.now() };

  it.each([
    ['en', 'Last problem'],
    ['ru', 'Последний сбой'],
  ] as const)('is hidden once the server is back (%s)', async (language, words) => {
    const open = (state: 'backoff' | 'ready'): Partial<Snapshot> => ({
      backends: [backendStatus('mlx', { state, lastError }), backendStatus('ollama')],
    });
    const core = new FakeCore(fakeSnapshot({ settings: settingsView({ language }), ...open('backoff') }));
    await ui.open(core, 'status');
    await ui.page.getByTestId('status-mlx').getByText(words).waitFor();
    await core.patch(open('ready'));
    await expect.poll(() => ui.page.getByTestId('status-mlx').getByText(words).count()).toBe(0);
  });
});

describe('a download that failed', () => {
  const failed = fakeDownload({
    name: 'my/own:1b',
    state: 'failed',
    error: { code: 'pull_failed', message: 'The download broke off.', details: {} },
  });

  it.each([
    ['en', 'Dismiss the download of own:1b', 'The download broke off.'],
    ['ru', 'Убрать загрузку own:1b из списка', 'Загрузка'],
  ] as const)('is shown and can be dismissed (%s)', async (language, name, words) => {
    const settings = settingsView({ language });
    const core = new FakeCore(fakeSnapshot({ settings, downloads: [failed] }));
    await ui.open(core, 'models');
    await ui.page.getByRole('alert').getByText(words).waitFor();
    expect(await ui.page.getByRole('progressbar').count()).toBe(0);
    await ui.page.getByRole('button', { name }).click();
    await expect
      .poll(() => core.called('downloadDismiss'))
      .toEqual([{ backend: 'ollama', name: 'my/own:1b' }]);
  });
});

describe('a message of 200 kB', () => {
  it('is folded', async () => {
    const core = new FakeCore();
    const text = 'A line of a long log that somebody has pasted.\n'.repeat(4_400);
    core.addChat({ id: 'chat-1', title: 'Log' }, [{ role: 'user', id: 'u1', chatId: 'chat-1', text, at: 1 }]);
    await ui.openChat('chat-1', core);
    await ui.page.getByRole('button', { name: /Show all/ }).waitFor();
    expect(await ui.page.evaluate(() => document.body.innerText.length)).toBeLessThan(3_000);
  });
});
