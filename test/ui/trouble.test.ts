import { describe, expect, it } from 'vitest';
import type { Answer } from '../../src/shared/chat';
import { FakeCore } from '../support/fake-bridge';
import { answerMeta, backendStatus, fakeAnswer, fakeSnapshot, settingsView } from '../support/fake-snapshot';
import { uiPage } from '../support/ui-page';

/** What the chat shows while servers fail, in both languages. */

const ui = uiPage();
const OLLAMA = answerMeta({ source: 'ollama', model: 'qwen2.5-coder:32b', category: 'coding' });

/** A core with one message and its answer. */
function withAnswer(change: Partial<Answer>, language: 'en' | 'ru' = 'en'): FakeCore {
  const core = new FakeCore(
    fakeSnapshot({
      settings: settingsView({ language }),
      backends: [
        backendStatus('mlx', { state: 'starting', stage: 'loading' }),
        backendStatus('ollama', { state: 'backoff', nextStartAt: Date.now() + 60_000 }),
      ],
    }),
  );
  core.addChat({ id: 'chat-1', title: 'Code' }, [
    { role: 'user', id: 'u1', chatId: 'chat-1', text: 'merge two lists', at: 1 },
    fakeAnswer({ id: 'a1', replyTo: 'u1', ...change }),
  ]);
  return core;
}

describe('servers that stop during an answer', () => {
  it.each([
    ['en', 'Ollama stopped: ended from outside. Waiting until it is up again.', 'Ollama: restarts in'],
    ['ru', 'Ollama остановился: процесс завершили извне. Ждём, пока он снова запустится.', 'Ollama: '],
  ] as const)(
    'shows, one push after the death, what the answer waits for (%s)',
    async (language, words, state) => {
      const streaming = { status: 'streaming', text: 'Use two ', meta: OLLAMA } as const;
      await ui.openChat('chat-1', withAnswer(streaming, language));
      await ui.answer().waitFor();
      const failed = { backend: 'ollama', cause: 'killed' } as const;
      await ui.core.tell('streaming', { ...OLLAMA, recovery: { failed, awaited: ['ollama'] } });
      const recovery = ui.answer().getByTestId('answer-recovery');
      await expect.poll(() => recovery.innerText()).toContain(words);
      expect(await recovery.innerText()).toContain(state);
      expect(await ui.answer().innerText()).toContain('Use two');
      expect(await ui.answer().locator('.mark-working').count()).toBe(0);
      const breaks = [{ at: 8, from: 'ollama', to: 'ollama', reason: 'ollama-killed' } as const];
      await ui.core.tell('streaming', { ...OLLAMA, breaks, recovery: undefined });
      await expect.poll(() => recovery.count()).toBe(0);
      expect(await ui.answer().innerText()).toMatch(/starts over below|ниже отвечает заново/);
    },
  );

  it('with both down shows so, and the progress of each, not a choice of server', async () => {
    await ui.openChat('chat-1', withAnswer({ status: 'queued' }));
    await ui.answer().waitFor();
    await ui.core.tell('queued', { recovery: { failed: null, awaited: ['mlx', 'ollama'] } });
    await expect
      .poll(() => ui.answer().innerText())
      .toContain('No server is up. The first one that is answers.');
    expect(await ui.answer().innerText()).toMatch(/MLX: loading model · Ollama: restarts in/);
    expect(await ui.answer().innerText()).not.toContain('Choosing who answers');
  });

  it('names the failed server and the place in the queue of the next one', async () => {
    await ui.openChat('chat-1', withAnswer({ status: 'queued' }));
    await ui.answer().waitFor();
    const recovery = { failed: { backend: 'mlx', cause: 'exited' } as const, awaited: [] };
    await ui.core.tell('queued', { ...OLLAMA, recovery, position: 2, etaMs: 41_000 });
    await expect.poll(() => ui.answer().innerText()).toContain('MLX stopped: its process ended.');
    expect(await ui.answer().innerText()).toContain('2nd in line, about 40 s');
    expect(await ui.answer().innerText()).not.toContain('The answer goes on in a moment.');
  });
});

describe('a different server than the requested one', () => {
  const target = { kind: 'backend', backend: 'mlx' } as const;

  it.each([
    [
      'en',
      'You asked MLX, but Ollama answered. MLX has only the very small built-in model, which is kept for small talk.',
    ],
    [
      'ru',
      'Вы спрашивали MLX, а ответил Ollama. У MLX есть только очень маленькая встроенная модель, она для простого разговора.',
    ],
  ] as const)('is shown, with the reason (%s)', async (language, words) => {
    const meta = { ...OLLAMA, target, reasons: ['explicit:backend', 'unavailable:mlx-only-small'] };
    await ui.openChat('chat-1', withAnswer({ status: 'done', text: 'Done.', meta }, language));
    await expect.poll(() => ui.answer().getByTestId('answer-instead').innerText()).toBe(words);
  });

  it('is not shown twice when the requested one stopped', async () => {
    const meta = { ...OLLAMA, target, reasons: ['explicit:backend', 'fallback:mlx-exited'] };
    await ui.openChat('chat-1', withAnswer({ status: 'done', text: 'Done.', meta }));
    await ui.answer().getByTestId('answer-rescue').waitFor();
    expect(await ui.answer().getByTestId('answer-instead').count()).toBe(0);
  });
});
