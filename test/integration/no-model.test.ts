import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SMALL_MODEL_NAME } from '../../src/shared/domain';
import { type App, ask, startApp, until } from '../support/app';
import { COUNTING } from '../support/counting-app';
import { createOllamaModel } from '../support/counting-model';
import { FEW_WORDS } from '../support/counting-words';
import { TINY, writeRandomModel } from '../support/random-model';
import { openWebClient, type WebClient } from '../support/web-client';

/** A fresh machine: both real servers with only the small model, which knows English only. */
const AUTO = { kind: 'auto' } as const;
const SMALL_TALK = ['hello', 'thanks a lot!', 'who are you?'];
const ENGLISH = [
  'Write a Python function that merges two sorted lists',
  'Hi! Can you fix the bug in my React component?',
  'Explain how TCP congestion control works',
  'How many orders were placed last week?',
  'Prove that the square root of two is irrational',
  'Thanks, now summarise this article for me',
  'Write a short poem about autumn',
  'git rebase or merge?',
];
const RUSSIAN = [
  'привет',
  'спасибо',
  'кто ты?',
  'Напиши функцию на Python, которая сортирует список',
  'Привет! Почему небо голубое?',
  'Сколько будет 17 умножить на 23?',
  'Объясни, как работает сборка мусора в Java',
  'Какая столица Австралии?',
];
/** A request that the small model cannot answer. */
const TASK = 'Напиши функцию, которая сортирует список';
let app: App;
let page: WebClient;
/** The message that waited when Tandem ended, before this start. */
let before: Awaited<ReturnType<typeof send>>;

beforeAll(async () => {
  const env = { MLX_RATE_LIMIT_MAX: '0' };
  app = await startApp({ env, args: [] });
  page = await openWebClient(app);
  before = await send(TASK);
  page.close();
  await app.stop();
  app = await startApp({ env, dataDir: app.dataDir });
  page = await openWebClient(app);
  await until(async () => (await ask(app.ready.gateway, 'Write a poem')).status === 200, 'it is in Ollama');
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

/** Creates a model in the app's Ollama behind its back, as a user does in a terminal. */
async function createByHand(owner: App): Promise<void> {
  const { url } = (await owner.health()).backends.ollama ?? {};
  await createOllamaModel(String(url), join(owner.dataDir, 'by-hand'), FEW_WORDS);
}

describe('without a capable model', () => {
  it('keeps waiting with a message that was waiting when Tandem exited', async () => {
    const answer = await page.answer(before.chatId, before.answerId);
    expect(answer).toMatchObject({ status: 'done', meta: { source: 'app', error: { code: 'no_model' } } });
  });

  it('answers a chat message in another language with its own text, and offers models that fit', async () => {
    const { chatId, answerId } = await send(TASK);
    const answer = await page.answer(chatId, answerId);
    expect(answer).toMatchObject({
      status: 'done',
      text: '',
      meta: { source: 'app', model: null, error: { code: 'no_model' } },
    });
    const { capable, firstStart } = await page.snapshot();
    expect(capable).toBe(false);
    expect(firstStart.done).toBe(false);
    expect(firstStart.suggestions.length).toBeGreaterThan(0);
    expect(firstStart.suggestions.every(({ fit }) => fit !== 'no')).toBe(true);
  });

  it.each(ENGLISH)('the small model answers on Ollama: %s', async (text) => {
    const answer = await ask(app.ready.gateway, text);
    expect(answer).toMatchObject({ status: 200, backend: 'ollama', model: SMALL_MODEL_NAME });
    expect(answer.text).toMatch(/\p{L}/u);
    expect(answer.reasons).toContain('small-model');
  });

  it.each(SMALL_TALK)('small talk is answered on MLX: %s', async (text) => {
    expect(await ask(app.ready.gateway, text, { tokens: 6 })).toMatchObject({
      status: 200,
      backend: 'mlx',
      model: SMALL_MODEL_NAME,
      text: expect.stringMatching(/\p{L}/u),
    });
  });

  it.each(RUSSIAN)('no server answers on either port: %s', async (text) => {
    for (const base of [app.ready.gateway, app.ready.mlxApi]) {
      const refused = await ask(base, text);
      expect(refused).toMatchObject({ status: 503, code: 'no_model', text: '', backend: null });
      expect(refused.error).toMatch(/\w/);
    }
  });

  it('when named, it answers in any language', async () => {
    const named = { model: `ollama/${SMALL_MODEL_NAME}` };
    expect(await ask(app.ready.gateway, TASK, named)).toMatchObject({ status: 200, backend: 'ollama' });
  });

  it('when named without fallback, it reports how much of a long request fits', async () => {
    const named = { model: `mlx/${SMALL_MODEL_NAME}`, headers: { 'X-Tandem-Strict': 'true' } };
    for (const base of [app.ready.gateway, app.ready.mlxApi])
      expect(await ask(base, 'autumn leaves '.repeat(4_000), named)).toMatchObject({
        status: 400,
        code: 'context_exceeded',
        error: expect.stringMatching(/about 15\d{3} tokens .* holds \d+\. Send less/),
      });
  });

  it('when requested from either backend by name, it does not answer in another language', async () => {
    const { chatId, answerId } = await send('Какая столица Австралии?');
    for (const backend of ['mlx', 'ollama'] as const) {
      const retry = await page.call('chatRetry', { answerId, target: { kind: 'backend', backend } });
      await ended(retry.answerId);
      expect((await page.answer(chatId, retry.answerId)).meta).toMatchObject({ source: 'app' });
    }
  });
});

describe('a model installed by hand', () => {
  it('is found in a folder from the settings, and answers under its name, without a restart', async () => {
    const folder = join(app.dataDir, 'my-models');
    await mkdir(folder);
    await page.call('settingsSet', { key: 'modelFolders', value: [folder] });
    await writeRandomModel(join(folder, 'first'), TINY);
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
    // Only the request itself triggers a scan.
    await writeRandomModel(join(folder, 'org', 'second'), TINY);
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

  it('answers waiting messages once it is created in Ollama; deleted ones stay deleted', async () => {
    const waiting = await send(TASK);
    const deleted = await send('Напиши функцию, которая переворачивает список');
    const edited = await send('Напиши функцию, которая считает слова');
    await page.call('chatDelete', { chatId: deleted.chatId });
    const instead = await page.call('chatEdit', {
      messageId: edited.userMessageId,
      text: 'hello',
      target: AUTO,
    });
    await ended(instead.answerId);
    const from = page.pushes.length;
    await createByHand(app);
    expect(await ask(app.ready.gateway, 'Write a Go function that adds')).toMatchObject({
      status: 200,
      backend: 'ollama',
      model: COUNTING,
    });
    for (const { chatId, answerId } of [waiting, before]) {
      const answered = await until(async () => {
        const answer = await page.answer(chatId, answerId);
        return answer.status === 'done' && answer.meta.source === 'ollama' && answer;
      }, 'the waiting message is answered');
      expect(answered).toMatchObject({
        meta: { model: COUNTING, notice: null },
        text: expect.stringMatching(/\w/),
      });
    }
    const told = page.pushes
      .slice(from)
      .flatMap((push) => (push.name === 'answerState' ? [push.payload] : []));
    expect(told.map(({ chatId }) => chatId)).not.toContain(deleted.chatId);
    expect(told.map(({ answerId }) => answerId)).not.toContain(edited.answerId);
  });
});
