import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, ask, startApp, until } from '../support/app';
import { STARTER_FOLDER } from '../support/runtimes';
import { openWebClient, type WebClient } from '../support/web-client';

/** A fresh machine: both real servers and nothing in them but the bundled starter, which does small talk only. */
const AUTO = { kind: 'auto' } as const;
const SMALL_TALK = ['hello', 'thanks a lot!', 'who are you?', 'привет', 'спасибо', 'кто ты?'];
const REQUESTS = [
  'Write a Python function that merges two sorted lists',
  'Hi! Can you fix the bug in my React component?',
  'What is the capital of Australia?',
  'Explain how TCP congestion control works',
  'How many orders were placed last week?',
  'Translate "good morning" into Japanese',
  'Prove that the square root of two is irrational',
  'Thanks, now summarise this article for me',
  'Hello, what is 17 times 23?',
  'Write a short poem about autumn',
  'Who are you voting for and why?',
  'git rebase or merge?',
  'Напиши функцию на Python, которая сортирует список',
  'Привет! Почему небо голубое?',
  'Сколько будет 17 умножить на 23?',
  'Объясни, как работает сборка мусора в Java',
  'Переведи на английский: доброе утро',
  'Спасибо, а теперь исправь ошибку в этом коде',
  'Докажи, что простых чисел бесконечно много',
  'Какая столица Австралии?',
];
let app: App;
let page: WebClient;

beforeAll(async () => {
  app = await startApp({ env: { MLX_RATE_LIMIT_MAX: '0' } });
  page = await openWebClient(app);
});
afterAll(async () => {
  page?.close();
  await app?.stop();
  await app?.remove();
});

/** Sends a message in a new chat; resolves with its ids once the answer has ended. */
async function send(text: string) {
  const sent = await page.call('chatSend', { chatId: null, text, target: AUTO });
  await ended(sent.answerId);
  return sent;
}

const ended = (answerId: string) =>
  page.next(
    (push) =>
      push.name === 'answerState' &&
      push.payload.answerId === answerId &&
      ['done', 'failed', 'stopped'].includes(push.payload.status)
        ? push.payload
        : undefined,
    'the answer ends',
  );

describe('without a capable model', () => {
  it('answers a request in the chat with its own words, and offers models that fit', async () => {
    const { chatId, answerId } = await send('Write a Python function that merges two sorted lists');
    const answer = await page.answer(chatId, answerId);
    expect(answer).toMatchObject({
      status: 'done',
      text: '',
      meta: { source: 'app', model: null, notice: 'no_model', error: { code: 'no_model' } },
    });
    const { capable, suggestions } = await page.snapshot();
    expect(capable).toBe(false);
    expect(suggestions.length).toBeGreaterThan(0);
    expect(suggestions.every(({ fit }) => fit !== 'no')).toBe(true);
  });

  it.each(REQUESTS)('the starter never answers: %s', async (text) => {
    const refused = await ask(app.ready.gateway, text);
    expect(refused).toMatchObject({ status: 503, code: 'no_model', text: '', backend: null });
    expect(refused.error).toMatch(/[Pp]ull .*for example/);
  });

  it.each(SMALL_TALK)('small talk is answered: %s', async (text) => {
    expect(await ask(app.ready.gateway, text)).toMatchObject({
      status: 200,
      model: 'tandem-starter',
      text: expect.stringMatching(/\p{L}/u),
    });
  });

  it('says the same on the MLX API, which has the starter', async () => {
    const refused = await ask(app.ready.mlxApi, 'What is the capital of Australia?');
    expect(refused).toMatchObject({ status: 503, code: 'no_model' });
    expect(await ask(app.ready.mlxApi, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
  });

  it('asked of the other backend, the starter does not answer a request either', async () => {
    const { chatId, answerId } = await send('What is the capital of Australia?');
    for (const backend of ['mlx', 'ollama'] as const) {
      const retry = await page.call('chatRetry', { answerId, target: { kind: 'backend', backend } });
      await ended(retry.answerId);
      expect((await page.answer(chatId, retry.answerId)).meta).toMatchObject({ notice: 'no_model' });
    }
  });
});

describe('a model installed by hand', () => {
  it('is found in a folder named in settings, and answers by its name, without a restart', async () => {
    const folder = join(app.dataDir, 'my-models');
    await mkdir(folder);
    await page.call('settingsSet', { key: 'modelFolders', value: [folder] });
    await cp(STARTER_FOLDER, join(folder, 'first'), { recursive: true });
    await page.call('modelsRescan', {});
    await until(
      async () =>
        (await page.snapshot()).models.some(({ backend, name }) => backend === 'mlx' && name === 'first'),
      'the model is shown',
    );
    expect(await ask(app.ready.gateway, 'hello', { model: 'mlx/first' })).toMatchObject({
      status: 200,
      backend: 'mlx',
      model: 'first',
    });
    // Nobody looks for it but the request itself.
    await cp(STARTER_FOLDER, join(folder, 'org', 'second'), { recursive: true });
    expect(await ask(app.ready.gateway, 'hello', { model: 'mlx/org/second' })).toMatchObject({
      status: 200,
      backend: 'mlx',
      model: 'org/second',
    });
    expect(await ask(app.ready.gateway, 'hello', { model: 'mlx/../first' })).toMatchObject({
      status: 400,
      code: 'bad_model_name',
    });
  });

  it('answers what is waiting, once it is created in Ollama; what was deleted meanwhile stays deleted', async () => {
    const waiting = await send('Write a Python function that merges two sorted lists');
    const deleted = await send('Write a Python function that reverses a list');
    const edited = await send('Write a Rust function that counts words');
    await page.call('chatDelete', { chatId: deleted.chatId });
    const instead = await page.call('chatEdit', {
      messageId: edited.userMessageId,
      text: 'hello',
      target: AUTO,
    });
    await ended(instead.answerId);
    const from = page.pushes.length;
    const ollama = (await app.health()).backends.ollama?.url;
    await fetch(`${ollama}/api/create`, {
      method: 'POST',
      body: JSON.stringify({ model: 'by-hand', from: 'tandem-starter', stream: false }),
    });
    expect(await ask(app.ready.gateway, 'Write a Go function that adds')).toMatchObject({
      status: 200,
      backend: 'ollama',
      model: 'by-hand',
    });
    const answered = await until(async () => {
      const answer = await page.answer(waiting.chatId, waiting.answerId);
      return answer.status === 'done' && answer.meta.source === 'ollama' && answer;
    }, 'the waiting message is answered');
    expect(answered).toMatchObject({
      meta: { model: 'by-hand', notice: null },
      text: expect.stringMatching(/\w/),
    });
    const told = page.pushes
      .slice(from)
      .flatMap((push) => (push.name === 'answerState' ? [push.payload] : []));
    expect(told.map(({ chatId }) => chatId)).not.toContain(deleted.chatId);
    expect(told.map(({ answerId }) => answerId)).not.toContain(edited.answerId);
  });
});

describe('a message that waits when Tandem ends', () => {
  it('is answered after the next start, in which a model is there', async () => {
    const first = await startApp();
    const before = await openWebClient(first);
    const target = { kind: 'auto' } as const;
    const text = 'Write a Python function that merges two sorted lists';
    const sent = await before.call('chatSend', { chatId: null, text, target });
    await until(
      async () => (await before.answer(sent.chatId, sent.answerId)).meta.notice === 'no_model',
      'the notice',
    );
    before.close();
    await first.stop();
    const again = await startApp({ dataDir: first.dataDir });
    const page = await openWebClient(again);
    try {
      expect(await page.answer(sent.chatId, sent.answerId)).toMatchObject({ meta: { notice: 'no_model' } });
      await fetch(`${(await again.health()).backends.ollama?.url}/api/create`, {
        method: 'POST',
        body: JSON.stringify({ model: 'by-hand', from: 'tandem-starter', stream: false }),
      });
      await page.call('modelsRescan', {});
      await until(
        async () => (await page.answer(sent.chatId, sent.answerId)).meta.source === 'ollama',
        'the waiting message is answered',
      );
    } finally {
      page.close();
      await again.stop();
      await again.remove();
    }
  });
});
