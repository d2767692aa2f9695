import { beforeEach, describe, expect, it } from 'vitest';
import { ChatService, UNDO_MS } from '../../../src/main/chat/chat-service';
import type { DispatchEvent, Dispatcher } from '../../../src/main/dispatch/types';
import { silentLogger } from '../../../src/main/ports/logger';
import type { Answer } from '../../../src/shared/chat';
import type { CompletionRequest } from '../../../src/shared/completion';
import type { Push } from '../../../src/shared/contract';
import { TandemError } from '../../../src/shared/errors';
import { saidText } from '../../../src/shared/thinking';
import { FakeClock, settle } from '../../support/fake-clock';
import { MemoryStore } from '../../support/memory-store';

/** A dispatcher that passes each request to the test, which then feeds its events. */
class HeldDispatcher implements Dispatcher {
  readonly requests: CompletionRequest[] = [];
  readonly #queues: { events: (DispatchEvent | Error | null)[]; wake: () => void }[] = [];

  async *dispatch(
    request: CompletionRequest,
    signal: AbortSignal,
  ): AsyncGenerator<DispatchEvent, void, void> {
    this.requests.push(request);
    const queue = { events: [] as (DispatchEvent | Error | null)[], wake: () => {} };
    this.#queues.push(queue);
    signal.addEventListener('abort', () => queue.wake());
    for (;;) {
      if (signal.aborted) throw signal.reason;
      const event = queue.events.shift();
      if (event === undefined) await new Promise<void>((resolve) => (queue.wake = resolve));
      else if (event === null) return;
      else if (event instanceof Error) throw event;
      else yield event;
    }
  }

  /** Feeds request number `index`; `null` ends it, an Error fails it. */
  feed(index: number, ...events: (DispatchEvent | Error | null)[]): void {
    this.#queues[index]?.events.push(...events);
    this.#queues[index]?.wake();
  }
}

const started: DispatchEvent = {
  type: 'started',
  backend: 'ollama',
  model: 'm',
  reasons: ['rule:coding'],
  queueMs: 1,
  ttftMs: 20,
};
const text = (value: string): DispatchEvent => ({ type: 'text', text: value });
const thinking = (value: string): DispatchEvent => ({ type: 'thinking', text: value });
const end: DispatchEvent = {
  type: 'end',
  end: { reason: 'stop', promptTokens: 3, completionTokens: 11, evalMs: 1000 },
  backend: 'ollama',
  model: 'm',
  reasons: ['rule:coding'],
};
const auto = { kind: 'auto' } as const;

let clock: FakeClock;
let store: MemoryStore;
let dispatcher: HeldDispatcher;
let chat: ChatService;
let pushes: Push[];

beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryStore();
  dispatcher = new HeldDispatcher();
  chat = new ChatService({ store, dispatcher, clock, logger: silentLogger });
  pushes = [];
  chat.onPush((push) => pushes.push(push));
});

const stored = (id: string) => store.saved.find((message) => message.id === id) as Answer;
/** The text as a client assembles it from offsets. */
function shown(answerId: string): string {
  let value = '';
  for (const push of pushes) {
    if (push.name !== 'answerText' || push.payload.answerId !== answerId) continue;
    expect(push.payload.offset).toBe(value.length);
    value += push.payload.text;
  }
  return value;
}

describe('chat', () => {
  it('stores the message before anything is sent', async () => {
    store.failure = new TandemError('disk_full', 'The disk is full. Free some space.');
    await expect(chat.send(null, 'hello', auto)).rejects.toMatchObject({ code: 'disk_full' });
    expect(dispatcher.requests).toEqual([]);
  });

  it('streams, labels and keeps an answer', async () => {
    const { answer } = await chat.send(null, 'sort a list', auto);
    await clock.advance(0);
    dispatcher.feed(0, started, text('one '), text('two '), text('three'), end, null);
    await clock.advance(100);
    expect(shown(answer.id)).toBe('one two three');
    expect(stored(answer.id)).toMatchObject({
      status: 'done',
      text: 'one two three',
      meta: { source: 'ollama', model: 'm', ttftMs: 20, tokensPerSecond: 11, reasons: ['rule:coding'] },
    });
  });

  it.each([
    ['tells no speed when all tokens came in one read', 2, null],
    ['measures the speed itself when the backend reports no durations', 500, 20],
  ])('%s', async (_name, ms, speed) => {
    const { answer } = await chat.send(null, 'hello', auto);
    await clock.advance(0);
    dispatcher.feed(0, started, text('Hello'));
    await clock.advance(ms);
    const unmeasured: DispatchEvent = {
      ...end,
      end: { reason: 'stop', promptTokens: 3, completionTokens: 10 },
    };
    dispatcher.feed(0, unmeasured, null);
    await clock.advance(100);
    expect(stored(answer.id).meta.tokensPerSecond).toBe(speed);
  });

  it.each([
    ['in a field of its own', [thinking('hm, '), thinking('so')], [text('Hello')]],
    ['in its text', [text('<think>hm, '), text('so</think>')], [text('\n\nHello')]],
  ])('stores thinking %s, with its time, and sends it to no model', async (_, first, second) => {
    const { answer, user } = await chat.send(null, 'hi', auto);
    await clock.advance(0);
    dispatcher.feed(0, started, ...first.slice(0, 1));
    await clock.advance(100);
    expect(shown(answer.id)).toBe('<think>hm, ');
    await clock.advance(1_900);
    dispatcher.feed(0, ...first.slice(1), ...second, end, null);
    await clock.advance(100);
    expect(shown(answer.id)).toBe('<think>hm, so</think>\n\nHello');
    const { text: kept, meta } = stored(answer.id);
    expect(kept).toBe(shown(answer.id));
    expect(meta.thinkingMs).toBe(2_000);
    await chat.send(user.chatId, 'and?', auto);
    await clock.advance(0);
    expect(dispatcher.requests[1]?.messages.map(({ content }) => content)).toEqual(['hi', 'Hello', 'and?']);
  });

  it('splits the thinking of two servers at the break', async () => {
    const { answer } = await chat.send(null, 'hi', auto);
    await clock.advance(0);
    const broke: DispatchEvent = { type: 'break', from: 'ollama', to: 'mlx', reason: 'ollama-exited' };
    dispatcher.feed(0, started, thinking('one'), broke, thinking('two'), text('Hello'), end, null);
    await clock.advance(100);
    expect(stored(answer.id).text).toBe('<think>one<think>two</think>\n\nHello');
    expect(saidText(stored(answer.id))).toBe('Hello');
  });

  it('reports in one push that a server stopped and what the answer waits for, and clears it on resumption', async () => {
    await chat.send(null, 'code', auto);
    await settle();
    const failed = { backend: 'ollama', cause: 'killed' } as const;
    dispatcher.feed(0, started, text('half'));
    await settle();
    pushes.length = 0;
    dispatcher.feed(0, { type: 'recovering', failed, awaited: ['ollama'] });
    await settle();
    expect(pushes).toMatchObject([
      {
        name: 'answerState',
        payload: { status: 'streaming', meta: { recovery: { failed, awaited: ['ollama'] } } },
      },
    ]);
    dispatcher.feed(0, { type: 'break', from: 'ollama', to: 'ollama', reason: 'ollama-killed' });
    await settle();
    expect(pushes.at(-1)).toHaveProperty('payload.meta.breaks.0.at', 4);
    expect(pushes.at(-1)).toHaveProperty('payload.meta.recovery', undefined);
    dispatcher.feed(0, started, text('whole'), end, null);
    await settle();
    expect(pushes.at(-1)).toMatchObject({ payload: { status: 'done' } });
  });

  it('keeps the failure visible while the request waits in the queue of the next server', async () => {
    await chat.send(null, 'code', auto);
    await settle();
    const failed = { backend: 'mlx', cause: 'exited' } as const;
    dispatcher.feed(0, { type: 'recovering', failed, awaited: [] });
    dispatcher.feed(0, { type: 'waiting', backend: 'ollama', model: 'm', position: 2, etaMs: null });
    await settle();
    expect(pushes.at(-1)).toMatchObject({ payload: { meta: { position: 2, recovery: { failed } } } });
  });

  it('has stored the stream up to the last second', async () => {
    const { answer } = await chat.send(null, 'long', auto);
    await clock.advance(0);
    dispatcher.feed(0, started, text('first half '));
    await clock.advance(1000);
    expect(stored(answer.id)).toMatchObject({ status: 'streaming', text: 'first half ' });
  });

  it('shows the partial text when the chat is opened during an answer', async () => {
    const { answer } = await chat.send(null, 'long', auto);
    await clock.advance(0);
    dispatcher.feed(0, started, text('so '), text('far'));
    await clock.advance(50);
    const messages = await chat.open(answer.chatId);
    expect(messages.at(-1)).toMatchObject({ id: answer.id, text: 'so far', status: 'streaming' });
  });

  it('stops at once and keeps what arrived', async () => {
    const { answer } = await chat.send(null, 'long', auto);
    await clock.advance(0);
    dispatcher.feed(0, started, text('part'));
    await clock.advance(40);
    chat.stop(answer.id);
    await clock.advance(0);
    expect(stored(answer.id)).toMatchObject({ status: 'stopped', text: 'part' });
  });

  it('ends a failed answer with its cause and keeps its text', async () => {
    const { answer } = await chat.send(null, 'long', auto);
    await clock.advance(0);
    dispatcher.feed(
      0,
      started,
      text('part'),
      new TandemError('backend_failed', 'Ollama stopped. Try again.'),
    );
    await clock.advance(40);
    expect(stored(answer.id)).toMatchObject({
      status: 'failed',
      text: 'part',
      meta: { source: 'ollama', error: { code: 'backend_failed' } },
    });
  });

  it('explains that Ollama is not there, unless a part of the answer is', async () => {
    const gone = new TandemError('ollama_down', 'Ollama does not answer. Start it again.');
    const nothing = await chat.send(null, 'write code', auto);
    const part = await chat.send(null, 'write more', auto);
    await clock.advance(0);
    dispatcher.feed(0, gone);
    dispatcher.feed(1, started, text('part'), gone);
    await clock.advance(40);
    expect(stored(nothing.answer.id)).toMatchObject({
      status: 'failed',
      meta: { source: 'app', notice: 'ollama_down', error: { code: 'ollama_down' } },
    });
    expect(stored(part.answer.id)).toMatchObject({
      status: 'failed',
      meta: { source: 'ollama', notice: null, error: { code: 'ollama_down' } },
    });
  });

  it('stores the target of a request that memory rejected, and lets it pass there when overruled', async () => {
    const target = { kind: 'model', backend: 'mlx', model: 'org/big' } as const;
    const { answer } = await chat.send(null, 'hello', target);
    await clock.advance(0);
    dispatcher.feed(0, new TandemError('memory_critical', 'Held back on purpose. Try anyway.'));
    await clock.advance(40);
    const kept = stored(answer.id).meta;
    expect(kept).toMatchObject({ source: 'app', target, error: { code: 'memory_critical' } });
    await chat.retry(answer.id, kept.target ?? auto, { overruleMemory: true });
    await clock.advance(0);
    expect(dispatcher.requests[1]).toMatchObject({
      model: { kind: 'named', name: 'org/big', backend: 'mlx' },
      overruleMemory: true,
    });
  });

  it('explains that no model is there, and answers when one is', async () => {
    const { answer } = await chat.send(null, 'write code', auto);
    await clock.advance(0);
    dispatcher.feed(0, new TandemError('no_model', 'No model can do this yet. Get one.'));
    await clock.advance(0);
    expect(stored(answer.id)).toMatchObject({ status: 'done', meta: { source: 'app', notice: 'no_model' } });
    await chat.answerWaiting();
    await clock.advance(0);
    dispatcher.feed(1, started, text('here'), end, null);
    await clock.advance(40);
    expect(stored(answer.id)).toMatchObject({
      status: 'done',
      text: 'here',
      meta: { source: 'ollama', notice: null },
    });
  });

  it('notes once in a chat that the small model answered', async () => {
    const reasons = ['rule:greeting', 'small-model'] as const;
    const bySmall = [
      { ...started, reasons: [...reasons] },
      text('Hi'),
      { ...end, reasons: [...reasons] },
      null,
    ];
    const { user, answer } = await chat.send(null, 'hello', auto);
    const notices = [];
    let latest = answer;
    for (let index = 0; index < 3; index += 1) {
      await clock.advance(0);
      dispatcher.feed(index, ...bySmall);
      await clock.advance(40);
      notices.push(stored(latest.id).meta.notice);
      if (index === 0) latest = await chat.retry(answer.id, auto);
      if (index === 1) ({ answer: latest } = await chat.send(user.chatId, 'again', auto));
    }
    expect(notices).toEqual(['small_model', null, null]);
    expect(stored(answer.id)).toMatchObject({ status: 'done', text: 'Hi', meta: { source: 'ollama' } });
    const other = await chat.send(null, 'hello', auto);
    await clock.advance(0);
    dispatcher.feed(3, ...bySmall);
    await clock.advance(40);
    expect(stored(other.answer.id).meta.notice).toBe('small_model');
  });

  it('keeps a complete answer when Stop comes before its request has ended', async () => {
    const { answer } = await chat.send(null, 'hello', auto);
    await clock.advance(0);
    dispatcher.feed(0, started, text('Hi'), end);
    await clock.advance(0);
    chat.stop(answer.id);
    dispatcher.feed(0, null);
    await clock.advance(40);
    expect(stored(answer.id)).toMatchObject({ status: 'done', text: 'Hi' });
  });

  it('adds no such note where the model was named, or where the answer broke off', async () => {
    const { answer } = await chat.send(null, 'hello', { kind: 'model', backend: 'ollama', model: 'm' });
    await clock.advance(0);
    dispatcher.feed(0, started, text('Hi'), end, null);
    await clock.advance(40);
    expect(stored(answer.id).meta.notice).toBeNull();
    const broken = await chat.send(null, 'hello', auto);
    await clock.advance(0);
    dispatcher.feed(1, { ...started, reasons: ['small-model'] }, text('Hi'), null);
    await clock.advance(40);
    expect(stored(broken.answer.id)).toMatchObject({ status: 'failed', meta: { notice: null } });
  });

  it('explains that no model knows the language of a message, and stores the language', async () => {
    const { answer } = await chat.send(null, 'Привет', auto);
    await clock.advance(0);
    dispatcher.feed(0, new TandemError('no_model', 'Только английский.', { details: { language: 'ru' } }));
    await clock.advance(0);
    expect(stored(answer.id)).toMatchObject({
      status: 'done',
      meta: { source: 'app', notice: 'no_model', error: { details: { language: 'ru' } } },
    });
  });

  describe('a message that waits for a model', () => {
    const noModel = () => new TandemError('no_model', 'No model can do this yet. Get one.');
    /** Sends it; the answer is a message from Tandem itself. */
    async function waiting(chatId: string | null = null) {
      const index = dispatcher.requests.length;
      const sent = await chat.send(chatId, 'write code', auto);
      await refuse(index);
      return sent;
    }
    async function refuse(index: number): Promise<void> {
      await clock.advance(0);
      dispatcher.feed(index, noModel());
      await clock.advance(0);
    }
    const asked = () => dispatcher.requests.map(({ id }) => id);

    it('is answered once, however often it was retried', async () => {
      const { answer } = await waiting();
      const again = await chat.retry(answer.id, { kind: 'backend', backend: 'mlx' });
      await refuse(1);
      await Promise.all([chat.answerWaiting(), chat.answerWaiting()]);
      await clock.advance(0);
      expect(asked()).toEqual([answer.id, again.id, again.id]);
    });

    it('is not answered while its chat is deleted', async () => {
      const { answer } = await waiting();
      await chat.remove(answer.chatId);
      await chat.answerWaiting();
      expect(asked()).toEqual([answer.id]);
      await chat.restore(answer.chatId);
      await chat.answerWaiting();
      await clock.advance(0);
      expect(asked()).toEqual([answer.id, answer.id]);
    });

    it('is answered after a restart', async () => {
      const { answer } = await waiting();
      const restarted = new ChatService({ store, dispatcher, clock, logger: silentLogger });
      await restarted.answerWaiting();
      await clock.advance(0);
      dispatcher.feed(1, started, text('here'), end, null);
      await clock.advance(40);
      expect(stored(answer.id)).toMatchObject({ text: 'here', meta: { source: 'ollama', notice: null } });
    });

    it('is not answered when an edit has removed it; the message before it is', async () => {
      const first = await waiting();
      const second = await waiting(first.answer.chatId);
      await chat.edit(second.user.id, 'hello', auto);
      await chat.answerWaiting();
      await clock.advance(0);
      const [, , edited, ...after] = asked();
      expect([first.answer.id, second.answer.id]).not.toContain(edited);
      expect(after).toEqual([first.answer.id]);
    });
  });

  it('sends the conversation without the messages of Tandem, with the newest answer of each turn', async () => {
    const first = await chat.send(null, 'one', auto);
    await clock.advance(0);
    dispatcher.feed(0, started, text('old'), end, null);
    await clock.advance(40);
    await chat.retry(first.answer.id, { kind: 'backend', backend: 'mlx' });
    await clock.advance(0);
    dispatcher.feed(1, started, text('new'), end, null);
    await clock.advance(40);
    await chat.send(first.answer.chatId, 'two', auto);
    await clock.advance(0);
    expect(dispatcher.requests[1]).toMatchObject({
      model: { kind: 'backend', backend: 'mlx' },
      messages: [{ role: 'user', content: 'one' }],
    });
    expect(dispatcher.requests[2]?.messages.map(({ content }) => content)).toEqual(['one', 'new', 'two']);
  });

  it('edits: later messages are removed and the new text is answered', async () => {
    const { user, answer } = await chat.send(null, 'one', auto);
    await clock.advance(0);
    dispatcher.feed(0, started, text('half'));
    await clock.advance(40);
    await chat.edit(user.id, 'uno', auto);
    await clock.advance(0);
    const messages = await chat.open(answer.chatId);
    expect(messages.map((message) => message.text)).toEqual(['uno', '']);
    expect(dispatcher.requests[1]?.messages.map(({ content }) => content)).toEqual(['uno']);
  });

  it('edits atomically: a failed write leaves the chat and its answers unchanged', async () => {
    const { user, answer } = await chat.send(null, 'one', auto);
    await clock.advance(0);
    store.failure = new TandemError('disk_full', 'full');
    await expect(chat.edit(user.id, 'uno', auto)).rejects.toMatchObject({ code: 'disk_full' });
    store.failure = null;
    dispatcher.feed(0, started, text('first'), end, null);
    await clock.advance(100);
    expect((await chat.open(answer.chatId)).map((message) => message.text)).toEqual(['one', 'first']);
    expect(stored(answer.id)).toMatchObject({ status: 'done' });
  });

  it('stores and answers a message once when its sender retries', async () => {
    const first = await chat.send(null, 'hello', auto, 'm-1');
    const again = await chat.send(null, 'hello', auto, 'm-1');
    expect(again.user).toEqual(first.user);
    expect(again.answer.id).toBe(first.answer.id);
    const edited = await chat.edit('m-1', 'hello there', auto, 'm-2');
    expect((await chat.edit('m-1', 'hello there', auto, 'm-2')).answer.id).toBe(edited.answer.id);
    await settle();
    expect(dispatcher.requests).toHaveLength(2);
    expect((await chat.open(first.user.chatId)).map(({ id }) => id)).toEqual(['m-2', edited.answer.id]);
  });

  it('sends nothing into a chat that another window deleted, and loses nothing when it is restored', async () => {
    const { user, answer } = await chat.send(null, 'one', auto);
    await clock.advance(0);
    dispatcher.feed(0, started, text('first'), end, null);
    await clock.advance(100);
    const { chatId } = answer;
    await chat.remove(chatId);
    const tries = [
      () => chat.send(chatId, 'two', auto),
      () => chat.retry(answer.id, auto),
      () => chat.edit(user.id, 'uno', auto),
    ];
    for (const act of tries) await expect(act()).rejects.toMatchObject({ code: 'not_found' });
    expect(dispatcher.requests).toHaveLength(1);
    await chat.restore(chatId);
    expect((await chat.open(chatId)).map((message) => message.text)).toEqual(['one', 'first']);
    await clock.advance(UNDO_MS);
    for (const act of tries) await act();
    expect(dispatcher.requests.length).toBeGreaterThan(1);
  });

  it('marks an answer that was cut off by the exit of the app, not by the user', async () => {
    const { answer } = await chat.send(null, 'long', auto);
    await clock.advance(0);
    dispatcher.feed(0, started, text('half'));
    await clock.advance(100);
    await chat.close();
    expect(stored(answer.id)).toMatchObject({
      status: 'stopped',
      text: 'half',
      meta: { notice: 'interrupted' },
    });
  });

  it('deletes a chat with time to undo', async () => {
    const kept = await chat.send(null, 'kept', auto);
    const gone = await chat.send(null, 'gone', auto);
    await chat.remove(kept.answer.chatId);
    await chat.remove(gone.answer.chatId);
    await clock.advance(UNDO_MS / 2);
    await chat.restore(kept.answer.chatId);
    await clock.advance(UNDO_MS);
    await chat.restore(gone.answer.chatId);
    expect((await store.listChats()).map(({ title }) => title)).toEqual(['kept']);
  });

  it('restarts the undo time of a chat that is deleted again', async () => {
    const { answer } = await chat.send(null, 'kept', auto);
    await chat.remove(answer.chatId);
    await clock.advance(UNDO_MS / 2);
    await chat.restore(answer.chatId);
    await clock.advance(UNDO_MS / 4);
    await chat.remove(answer.chatId);
    await clock.advance(UNDO_MS / 2);
    await chat.restore(answer.chatId);
    expect((await store.listChats()).map(({ title }) => title)).toEqual(['kept']);
  });

  it('restarts it also when the earlier erasure comes due while the deletion is stored', async () => {
    const { answer } = await chat.send(null, 'kept', auto);
    await chat.remove(answer.chatId);
    await clock.advance(UNDO_MS / 2);
    await chat.restore(answer.chatId);
    const hide = store.hideChat.bind(store);
    store.hideChat = async (chatId) => {
      await hide(chatId);
      await clock.advance(UNDO_MS / 2);
    };
    await chat.remove(answer.chatId);
    await chat.restore(answer.chatId);
    expect((await store.listChats()).map(({ title }) => title)).toEqual(['kept']);
  });

  it('restarts it for a chat that two windows delete at once', async () => {
    const { answer } = await chat.send(null, 'kept', auto);
    await Promise.all([chat.remove(answer.chatId), chat.remove(answer.chatId)]);
    await clock.advance(UNDO_MS / 2);
    await chat.restore(answer.chatId);
    await chat.remove(answer.chatId);
    await clock.advance(UNDO_MS / 2);
    await chat.restore(answer.chatId);
    expect((await store.listChats()).map(({ title }) => title)).toEqual(['kept']);
  });

  it('marks an answer that was cancelled in the queue as stopped', async () => {
    const { answer } = await chat.send(null, 'long', auto);
    await clock.advance(0);
    dispatcher.feed(0, started, text('half'), new TandemError('cancelled', 'Taken out of the queue.'));
    await clock.advance(100);
    expect(shown(answer.id)).toBe('half');
    expect(stored(answer.id)).toMatchObject({ status: 'stopped', text: 'half', meta: { error: null } });
  });

  it('continues to stream when an answer cannot be stored', async () => {
    const { answer } = await chat.send(null, 'long', auto);
    await clock.advance(0);
    store.failure = new TandemError('disk_full', 'full');
    dispatcher.feed(0, started, text('all of it'), end, null);
    await clock.advance(2000);
    expect(shown(answer.id)).toBe('all of it');
  });
});
