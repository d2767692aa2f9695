import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeCore } from '../support/fake-bridge';
import {
  answerMeta,
  backendStatus,
  fakeAnswer,
  fakeDownload,
  fakeSnapshot,
  smallSnapshot,
} from '../support/fake-snapshot';
import { uiPage } from '../support/ui-page';

const ui = uiPage();
let page: Page;
let core: FakeCore;
beforeEach(() => {
  page = ui.page;
});

async function open(next: FakeCore = new FakeCore()): Promise<void> {
  core = next;
  await ui.open(core);
}

const answer = () => page.getByTestId('answer').last();
const input = () => page.getByTestId('message-input');
const status = () => answer().getAttribute('data-status');
const OLLAMA = answerMeta({
  source: 'ollama',
  model: 'qwen2.5-coder:32b',
  category: 'coding',
  reasons: ['rule:code-request'],
});
const MLX = answerMeta({
  source: 'mlx',
  model: 'org/phi-3.5-mini',
  category: 'greeting',
  reasons: ['rule:greeting'],
});

async function say(text: string): Promise<void> {
  await input().fill(text);
  await page.keyboard.press('Enter');
  await answer().waitFor();
}

/** A core with one finished exchange. */
function withTalk(): FakeCore {
  const next = new FakeCore();
  next.addChat({ id: 'chat-1', title: 'Greeting' }, [
    { role: 'user', id: 'u1', chatId: 'chat-1', text: 'hello', at: 1 },
    fakeAnswer({ id: 'a1', replyTo: 'u1', text: 'Hello there.', meta: MLX }),
  ]);
  return next;
}

async function openTalk(): Promise<void> {
  await page.addInitScript(() => sessionStorage.setItem('tandem.chat', 'chat-1'));
  await open(withTalk());
  await answer().waitFor();
}

describe('an answer', () => {
  it('goes from queued over streaming to done, labelled with its server', async () => {
    await open();
    await say('merge two lists');
    expect(await status()).toBe('queued');
    await core.tell('queued', { ...OLLAMA, position: 2, etaMs: 41_000 });
    await expect.poll(() => answer().textContent()).toContain('2nd in line, about 40 s');
    await core.tell('streaming', { ...OLLAMA, ttftMs: 1_920 });
    await core.write('Use two ');
    await core.write('indices.\n\n```python\nprint(1)\n```\n');
    await core.tell('done', { ...OLLAMA, ttftMs: 1_920, tokensPerSecond: 24.1 });
    await expect.poll(status).toBe('done');
    expect(await answer().getAttribute('data-backend')).toBe('ollama');
    expect(await answer().getAttribute('data-model')).toBe('qwen2.5-coder:32b');
    const label = await answer().getByTestId('answer-label').innerText();
    for (const part of ['Ollama', 'qwen2.5-coder:32b', '1.9 s', '24 tok/s']) expect(label).toContain(part);
    expect(await answer().innerText()).toContain('Use two indices.');
    expect(await answer().locator('figcaption').innerText()).toBe('python');
    expect(await answer().locator('pre').innerText()).toBe('print(1)');
  });

  it('explains why in plain words on a click, and offers the other server', async () => {
    await openTalk();
    await answer().getByRole('button', { name: 'Why?' }).click();
    const reasons = answer().getByTestId('answer-reasons');
    expect(await reasons.innerText()).toContain('It reads as a greeting, and MLX answers those fastest.');
    await reasons.getByRole('button', { name: 'Ask Ollama instead' }).click();
    await expect.poll(status).toBe('queued');
    expect(core.called('chatRetry')).toEqual([
      { answerId: 'a1', target: { kind: 'backend', backend: 'ollama' } },
    ]);
    await page.getByRole('tab', { name: 'Answer 1 of 2: MLX' }).click();
    expect(await answer().innerText()).toContain('Hello there.');
  });

  it('stops on Escape and on the button, and keeps what arrived', async () => {
    await open();
    await say('count');
    await core.tell('streaming', MLX);
    await core.write('one two');
    await expect.poll(() => answer().innerText()).toContain('one two');
    await page.keyboard.press('Escape');
    await expect.poll(() => core.called('chatStop').length).toBe(1);
    await page.getByTestId('stop').click();
    await expect.poll(() => core.called('chatStop').length).toBe(2);
    await core.tell('stopped');
    await expect.poll(() => answer().innerText()).toContain('Stopped by you.');
    expect(await answer().innerText()).toContain('one two');
    expect(await page.getByTestId('stop').count()).toBe(0);
  });

  it('shows the cure of a failure, not its code, and retries', async () => {
    await open();
    await say('plan');
    const error = { code: 'timeout', message: 'raw words', details: {} };
    await core.tell('failed', { source: 'app', error });
    await expect
      .poll(() => answer().innerText())
      .toContain('Try again with a shorter message or a smaller model.');
    expect(await answer().innerText()).not.toContain('raw words');
    await answer().getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => core.called('chatRetry').length).toBe(1);
  });

  it('explains that a server stopped: before the first word and in the middle', async () => {
    await open();
    await say('hello');
    await core.tell('streaming', { ...OLLAMA, reasons: ['rule:greeting', 'fallback:mlx-exited'] });
    await core.write('Half of it');
    await expect
      .poll(() => answer().innerText())
      .toContain('MLX stopped: its process ended. Ollama takes over.');
    const breaks = [
      { at: 'Half of it'.length, from: 'mlx' as const, to: 'ollama' as const, reason: 'exited' },
    ];
    await core.tell('streaming', { ...OLLAMA, breaks });
    await core.write('Anew.');
    await core.tell('done', { ...OLLAMA, breaks });
    await expect.poll(status).toBe('done');
    const text = await answer().innerText();
    expect(text.indexOf('Half of it')).toBeLessThan(text.indexOf('MLX stopped here'));
    expect(text.indexOf('MLX stopped here')).toBeLessThan(text.indexOf('Anew.'));
  });

  it('renders no HTML and loads no image from the text of a model', async () => {
    await open();
    await say('x');
    await core.tell('streaming', MLX);
    await core.write(
      '<img src="http://127.0.0.1:9/x"> ![cat](http://127.0.0.1:9/y) [a](javascript:alert(1)) end',
    );
    await expect.poll(() => answer().innerText()).toContain('end');
    expect(await answer().innerText()).toContain('<img src="http://127.0.0.1:9/x">');
    expect(await answer().locator('img, a').count()).toBe(0);
  });
});

describe('an interrupted view', () => {
  const text = 'The answer goes on word by word. ';

  it('resumes after a reload without a lost or doubled piece, with the draft kept', async () => {
    await open();
    await say('go on');
    await core.tell('streaming', MLX);
    await core.write(text);
    await input().fill('next question');
    const reloading = page.reload();
    await core.write(text).catch(() => undefined);
    await reloading;
    await core.write(text);
    await core.tell('done', MLX);
    await expect.poll(status).toBe('done');
    expect((await answer().locator('.prose').innerText()).trim()).toBe(text.repeat(3).trim());
    expect(await input().inputValue()).toBe('next question');
  });

  it('resumes after a lost connection', async () => {
    await open();
    await say('go on');
    await core.tell('streaming', MLX);
    await core.write(text);
    await core.connection(false);
    await page.getByText('Connection lost').first().waitFor();
    await core.write(text);
    await core.patch({ backends: [backendStatus('mlx', { state: 'backoff' }), backendStatus('ollama')] });
    await core.connection(true);
    await core.write(text);
    await core.tell('done', MLX);
    await expect.poll(status).toBe('done');
    expect((await answer().locator('.prose').innerText()).trim()).toBe(text.repeat(3).trim());
    await page.getByTestId('nav-status').click();
    expect(await page.getByTestId('status-mlx').getAttribute('data-state')).toBe('backoff');
  });

  it('closes a gap and ignores known text', async () => {
    await open();
    await say('go on');
    await core.tell('streaming', MLX);
    const answerId = core.answer().id;
    await core.write('0123456789');
    await core.push({
      name: 'answerText',
      payload: { answerId, chatId: 'chat-1', offset: 5, text: '56789' },
    });
    await core.write('abc');
    await expect.poll(() => answer().locator('.prose').innerText()).toContain('0123456789abc');
    await core.connection(false);
    await core.write('lost');
    // The connection returns without a notice: only the offset of the next piece reveals the gap.
    await core.connection(true);
    await core.write('found');
    await expect.poll(() => answer().locator('.prose').innerText()).toContain('0123456789abclostfound');
  });
});

describe('without a capable model', () => {
  it('explains what is missing, gets a model, and shows the progress', async () => {
    await open(new FakeCore(smallSnapshot()));
    await page
      .getByText('A very small English model is built in. It makes mistakes. Get a real one:')
      .waitFor();
    expect(await input().getAttribute('placeholder')).toBe('Ask something simple, in English');
    await say('write code');
    await core.tell('done', { source: 'app', notice: 'no_model' });
    await expect.poll(() => answer().getAttribute('data-backend')).toBe('app');
    expect(await answer().getByTestId('answer-label').innerText()).toContain('Tandem');
    await answer().getByRole('button', { name: 'Get Qwen2.5-Coder 32B' }).click();
    await expect
      .poll(() => core.called('downloadStart'))
      .toEqual([{ backend: 'ollama', name: 'qwen2.5-coder:32b' }]);
    const download = fakeDownload({ completedBytes: 5e9, bytesPerSecond: 50e6 });
    await core.patch({ downloads: [download] });
    await expect.poll(() => answer().innerText()).toContain('5 GB of 20 GB · 50 MB/s · about 5 min left');
    expect(await answer().getByRole('progressbar').getAttribute('aria-valuenow')).toBe('25');
    await answer()
      .getByRole('button', { name: /^Cancel the download of Qwen2.5-Coder 32B/ })
      .click();
    await expect.poll(() => core.called('downloadCancel').length).toBe(1);
    const error = { code: 'disk_full', message: 'no space' };
    await core.patch({ downloads: [{ ...download, state: 'failed', error }] });
    await expect
      .poll(() => answer().innerText())
      .toContain('The disk is full. Free some space and try again.');
  });
});

describe('with the small model alone', () => {
  it('labels its answer, and offers a real model', async () => {
    await open(new FakeCore(smallSnapshot()));
    await say('hello');
    await core.tell('done', { ...MLX, reasons: ['rule:greeting', 'small-model'], notice: 'small_model' });
    const note = answer().getByTestId('answer-small-model');
    await expect.poll(() => note.innerText()).toContain('A very small model answered. It makes mistakes.');
    expect(await note.getByRole('button', { name: /^Get / }).count()).toBe(1);
    await note.getByRole('button', { name: 'Get Qwen2.5-Coder 32B' }).click();
    await expect
      .poll(() => core.called('downloadStart'))
      .toEqual([{ backend: 'ollama', name: 'qwen2.5-coder:32b' }]);
    await core.patch({ capable: true });
    await expect.poll(() => note.getByRole('button').count()).toBe(0);
    expect(await note.innerText()).toContain('A very small model answered. It makes mistakes.');
  });

  it('says in Russian that it does not know Russian, with the same button', async () => {
    await open(new FakeCore(smallSnapshot()));
    await say('Напиши письмо');
    const error = { code: 'no_model', message: 'raw words', details: { language: 'ru' } };
    await core.tell('done', { source: 'app', notice: 'no_model', error });
    await expect.poll(() => answer().innerText()).toContain('Встроенная модель знает только английский');
    expect(await answer().innerText()).not.toContain('raw words');
    await answer().getByRole('button', { name: 'Get Qwen2.5-Coder 32B' }).click();
    await expect.poll(() => core.called('downloadStart').length).toBe(1);
  });

  it('needs a model if the small one was removed', async () => {
    await open(new FakeCore(smallSnapshot({ models: [] })));
    await page.getByRole('heading', { name: 'Tandem runs. It needs a model.' }).waitFor();
    expect(await input().getAttribute('placeholder')).toBe('Message Tandem');
  });
});

describe('the keyboard', () => {
  it('writes lines with Shift-Enter, sends with Enter, edits the last message with Up', async () => {
    await openTalk();
    await input().focus();
    await page.keyboard.press('ArrowUp');
    await expect.poll(() => input().inputValue()).toBe('hello');
    await input().press('End');
    await page.keyboard.type(' there');
    await page.keyboard.press('Enter');
    await expect
      .poll(() => core.called('chatEdit'))
      .toMatchObject([{ messageId: 'u1', text: 'hello there', target: { kind: 'auto' } }]);
    await expect.poll(status).toBe('queued');
    expect(await page.getByText('You: hello there', { exact: true }).count()).toBe(1);
    expect(await page.getByText('Hello there.').count()).toBe(0);
    expect(await input().inputValue()).toBe('');
  });

  it('reaches every view, a new chat and the search', async () => {
    await openTalk();
    await page.keyboard.press('Control+2');
    await page.getByRole('main', { name: 'Models' }).waitFor();
    await page.keyboard.press('Control+3');
    await page.getByTestId('status-mlx').waitFor();
    await page.keyboard.press('Control+,');
    await page.getByTestId('mlx-only-light').waitFor();
    await page.keyboard.press('Control+1');
    await answer().waitFor();
    await page.keyboard.press('Control+f');
    const search = page.getByRole('searchbox', { name: 'Search chats' });
    await expect.poll(() => search.evaluate((field) => field === document.activeElement)).toBe(true);
    await page.keyboard.type('Greet');
    await page
      .getByRole('button', { name: /^Greeting/ })
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await expect.poll(() => search.count()).toBe(0);
    await page.keyboard.press('Control+n');
    await page.getByRole('heading', { name: 'Ask anything' }).waitFor();
    await expect.poll(() => input().evaluate((field) => field === document.activeElement)).toBe(true);
  });

  it('breaks the line on Shift-Enter and grows to eight lines', async () => {
    await open();
    await input().focus();
    for (let line = 0; line < 12; line += 1) {
      await page.keyboard.type('x');
      await page.keyboard.press('Shift+Enter');
    }
    expect((await input().inputValue()).split('\n')).toHaveLength(13);
    const height = (await input().boundingBox())?.height ?? 0;
    expect(height).toBeGreaterThan(120);
    expect(height).toBeLessThan(190);
    expect(core.called('chatSend')).toEqual([]);
  });
});

describe('the history', () => {
  it('renames, deletes and brings back', async () => {
    await openTalk();
    await page.getByRole('button', { name: 'More about “Greeting”' }).click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    const field = page.getByRole('textbox', { name: 'Name of the chat' });
    await field.fill('First words');
    await field.press('Enter');
    await expect.poll(() => core.called('chatRename')).toEqual([{ chatId: 'chat-1', title: 'First words' }]);
    await page.getByRole('button', { name: 'More about “Greeting”' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Ask anything' }).waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => core.called('chatRestore')).toEqual([{ chatId: 'chat-1' }]);
    await answer().waitFor();
  });
});

describe('two chats opened one after the other', () => {
  it('shows the one chosen last, whichever reply arrives first', async () => {
    const slow = Promise.withResolvers<void>();
    const next = withTalk();
    next.addChat({ id: 'chat-2', title: 'Sorting' }, [
      { role: 'user', id: 'u2', chatId: 'chat-2', text: 'sort', at: 1 },
      fakeAnswer({ id: 'a2', replyTo: 'u2', chatId: 'chat-2', text: 'Sorted.', meta: OLLAMA }),
    ]);
    next.handlers.chatOpen = async ({ chatId }) => {
      if (chatId === 'chat-1') await slow.promise;
      return { messages: next.messages.get(chatId) ?? [] };
    };
    await page.setViewportSize({ width: 1280, height: 800 });
    await open(next);
    await page.getByRole('button', { name: /^Greeting/ }).click();
    await page.getByRole('button', { name: /^Sorting/ }).click();
    await answer().getByText('Sorted.').waitFor();
    await core.write(' And again.', 'chat-2');
    slow.resolve();
    await answer().getByText('Sorted. And again.').waitFor();
    expect(await page.getByText('Hello there.').count()).toBe(0);
  });
});

describe('a message that cannot be sent', () => {
  it('stays in place, with the cure and a button to send it again', async () => {
    await open();
    core.handlers.chatSend = () => {
      throw Object.assign(new Error('ENOSPC'), { code: 'disk_full' });
    };
    await input().fill('do not lose me');
    await page.getByTestId('send').click();
    await page.getByText('The disk is full. Free some space and try again.').waitFor();
    expect(await page.getByText('do not lose me').count()).toBe(1);
    delete core.handlers.chatSend;
    await page.getByRole('button', { name: 'Send again' }).click();
    await answer().waitFor();
    expect(await page.getByText('do not lose me').count()).toBe(1);
  });
});

describe('a snapshot that changed', () => {
  it('is shown from patches alone, and fetched again after a gap', async () => {
    await open(new FakeCore(fakeSnapshot()));
    await page.getByTestId('nav-status').click();
    await core.patch({
      queue: { ...core.snapshot.queue, stats: { ...core.snapshot.queue.stats, depth: 3 } },
    });
    await expect.poll(() => page.getByTestId('queue-depth').getAttribute('data-depth')).toBe('3');
    expect(core.called('snapshot')).toHaveLength(1);
    core.revision += 5;
    await core.patch({
      queue: { ...core.snapshot.queue, stats: { ...core.snapshot.queue.stats, depth: 7 } },
    });
    await expect.poll(() => page.getByTestId('queue-depth').getAttribute('data-depth')).toBe('7');
    expect(core.called('snapshot')).toHaveLength(2);
  });
});
