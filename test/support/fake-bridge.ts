import type { Page } from 'playwright-core';
import type { Answer, AnswerMeta, ChatSummary, Message } from '../../src/shared/chat';
import type { CallName, Contract, Envelope, Push, Snapshot } from '../../src/shared/contract';
import type { SettingKey } from '../../src/shared/settings';
import { fakeAnswer, fakeSnapshot } from './fake-snapshot';

type Calls = Contract['calls'];
type Input<N extends CallName> = import('zod').z.output<Calls[N]['input']>;
type Output<N extends CallName> = import('zod').z.output<Calls[N]['output']>;
export type FakeHandlers = { [N in CallName]?: (input: Input<N>) => Output<N> | Promise<Output<N>> };

/** The page's bridge, and its entry point for pushes. */
declare global {
  interface Window {
    fakeCall: (name: string, input: unknown) => Promise<unknown>;
    fakePush: ((push: unknown) => void) | undefined;
    fakeConnection: ((connected: boolean) => void) | undefined;
  }
}

/**
 * A core in the test's own memory. The page reaches it through `window.tandem`, so it survives a reload of the page
 * like the real one. A call without a script returns nothing, as if the core had accepted it.
 */
export class FakeCore {
  snapshot: Snapshot;
  revision = 1;
  readonly messages = new Map<string, Message[]>();
  readonly calls: { name: CallName; input: unknown }[] = [];
  readonly handlers: FakeHandlers = {};
  #page: Page | null = null;
  #connected = true;
  #ids = 0;

  constructor(snapshot: Snapshot = fakeSnapshot()) {
    this.snapshot = snapshot;
  }

  /** Installs the bridge in the page. Call it before `goto`. */
  async install(page: Page): Promise<void> {
    this.#page = page;
    await page.exposeFunction('fakeCall', (name: CallName, input: unknown) => this.#answer(name, input));
    await page.addInitScript(() => {
      const pushes = new Set<(push: never) => void>();
      const lines = new Set<(connected: boolean) => void>();
      window.fakePush = (push) => {
        for (const listener of pushes) listener(push as never);
      };
      window.fakeConnection = (connected) => {
        for (const listener of lines) listener(connected);
      };
      window.tandem = {
        call: (name, input) => window.fakeCall(name, input) as never,
        subscribe: (listener) => {
          pushes.add(listener as never);
          return () => pushes.delete(listener as never);
        },
        onConnection: (listener) => {
          lines.add(listener);
          return () => lines.delete(listener);
        },
      };
    });
  }

  /** Changes parts of the snapshot and pushes the patch. */
  async patch(patch: Partial<Snapshot>): Promise<void> {
    this.snapshot = { ...this.snapshot, ...patch };
    this.revision += 1;
    await this.push({ name: 'patch', payload: { revision: this.revision, patch } });
  }

  async push(...pushes: Push[]): Promise<void> {
    if (!this.#connected) return;
    await this.#page?.evaluate((list) => {
      for (const push of list) window.fakePush?.(push);
    }, pushes);
  }

  /** Changes the connection state: while it is down, pushes are lost. */
  async connection(connected: boolean): Promise<void> {
    this.#connected = connected;
    await this.#page?.evaluate((value) => window.fakeConnection?.(value), connected);
  }

  addChat(chat: Partial<ChatSummary> & { id: string; title: string }, messages: Message[] = []): void {
    const now = Date.now();
    const summary = { preview: '', createdAt: now, updatedAt: now, ...chat };
    this.snapshot = { ...this.snapshot, chats: [...this.snapshot.chats, summary] };
    this.messages.set(chat.id, messages);
  }

  /** The newest answer of a chat. */
  answer(chatId = 'chat-1'): Answer {
    const answer = this.messages.get(chatId)?.findLast((message) => message.role === 'assistant');
    if (answer?.role !== 'assistant') throw new Error(`chat ${chatId} has no answer`);
    return answer;
  }

  /** Adds text to the newest answer and pushes it. */
  async write(text: string, chatId = 'chat-1'): Promise<void> {
    const answer = this.answer(chatId);
    const offset = answer.text.length;
    this.#replace({ ...answer, text: answer.text + text });
    await this.push({ name: 'answerText', payload: { answerId: answer.id, chatId, offset, text } });
  }

  /** Changes status and label of the newest answer and pushes them. */
  async tell(status: Answer['status'], meta: Partial<AnswerMeta> = {}, chatId = 'chat-1'): Promise<void> {
    const answer = this.answer(chatId);
    const next = { ...answer, status, meta: { ...answer.meta, ...meta } };
    this.#replace(next);
    const { id: answerId, replyTo, at, text } = next;
    await this.push({
      name: 'answerState',
      payload: { answerId, chatId, replyTo, status, meta: next.meta, length: text.length, at },
    });
  }

  called<N extends CallName>(name: N): Input<N>[] {
    return this.calls.filter((call) => call.name === name).map((call) => call.input as Input<N>);
  }

  #replace(answer: Answer): void {
    const messages = this.messages.get(answer.chatId) ?? [];
    this.messages.set(
      answer.chatId,
      messages.map((message) => (message.id === answer.id ? answer : message)),
    );
  }

  async #answer(name: CallName, input: unknown): Promise<Envelope<unknown>> {
    this.calls.push({ name, input });
    if (!this.#connected) throw new Error('the line is down');
    const scripted = this.handlers[name] as ((input: unknown) => unknown) | undefined;
    try {
      return {
        ok: true,
        value: scripted ? await scripted(input) : await this.#default(name, input as never),
      };
    } catch (error) {
      const code = (error as { code?: string }).code ?? 'internal';
      return { ok: false, error: { code, message: String(error), details: {} } };
    }
  }

  async #default(name: CallName, input: Record<string, never>): Promise<unknown> {
    switch (name) {
      case 'snapshot':
        return { revision: this.revision, snapshot: this.snapshot };
      case 'chatOpen':
        return { messages: this.messages.get(input.chatId ?? '') ?? [] };
      case 'chatSend':
        return this.take(input as unknown as Input<'chatSend'>);
      case 'chatEdit':
        return this.#edit(input as unknown as Input<'chatEdit'>);
      case 'chatRetry':
        return this.#retry(input as unknown as Input<'chatRetry'>);
      case 'chatDelete':
        await this.patch({ chats: this.snapshot.chats.filter((chat) => chat.id !== input.chatId) });
        return { undoMs: 10_000 };
      case 'chatSearch':
        return { chats: this.snapshot.chats.filter((chat) => chat.title.includes(input.query ?? '')) };
      case 'settingsSet':
        await this.#set(input as unknown as Input<'settingsSet'>);
        return {};
      case 'hubTokenState':
        return { stored: false, fromEnvironment: false };
      case 'runtimesList':
        return {
          runtimes: [
            { name: 'mlx', version: '0.29.1', sizeBytes: 712e6, inUse: true },
            { name: 'ollama', version: '0.12.6', sizeBytes: 1.42e9, inUse: false },
          ],
        };
      default:
        return {};
    }
  }

  /** Accepts a message as the core does: the same id twice adds it once. */
  take({ chatId, text, newId }: Input<'chatSend'>): Output<'chatSend'> {
    const arrived = [...this.messages.values()].flat().find((message) => message.id === newId);
    const itsAnswer = [...this.messages.values()]
      .flat()
      .find((message) => message.role === 'assistant' && message.replyTo === newId);
    if (arrived && itsAnswer)
      return { chatId: arrived.chatId, userMessageId: arrived.id, answerId: itsAnswer.id };
    const id = chatId ?? 'chat-1';
    if (chatId === null && !this.messages.has(id)) this.addChat({ id, title: text });
    this.#ids += 1;
    const userMessageId = newId ?? `user-${this.#ids}`;
    const answerId = `answer-${this.#ids}`;
    const at = Date.now();
    this.messages.set(id, [
      ...(this.messages.get(id) ?? []),
      { role: 'user', id: userMessageId, chatId: id, text, at },
      fakeAnswer({ id: answerId, replyTo: userMessageId, chatId: id, status: 'queued' }),
    ]);
    return { chatId: id, userMessageId, answerId };
  }

  #edit({ messageId, text, target, newId }: Input<'chatEdit'>): Output<'chatEdit'> {
    for (const [chatId, messages] of this.messages) {
      const index = messages.findIndex((message) => message.id === messageId);
      if (index === -1) continue;
      this.messages.set(chatId, messages.slice(0, index));
      return this.take({ chatId, text, target, newId });
    }
    throw Object.assign(new Error('gone'), { code: 'not_found' });
  }

  #retry({ answerId }: Input<'chatRetry'>): Output<'chatRetry'> {
    for (const [chatId, messages] of this.messages) {
      const old = messages.find((message) => message.id === answerId);
      if (old?.role !== 'assistant') continue;
      this.#ids += 1;
      const answer = fakeAnswer({
        id: `answer-${this.#ids}`,
        replyTo: old.replyTo,
        chatId,
        status: 'queued',
      });
      this.messages.set(chatId, [...messages, answer]);
      return { answerId: answer.id };
    }
    throw Object.assign(new Error('gone'), { code: 'not_found' });
  }

  async #set({ key, value }: { key: SettingKey; value?: unknown }): Promise<void> {
    const view = this.snapshot.settings[key];
    if (!view) throw new Error(`no setting ${key}`);
    const pendingRestart = view.acts !== 'now';
    const changed = { ...view, value, source: 'file' as const, pendingRestart };
    await this.patch({ settings: { ...this.snapshot.settings, [key]: changed } });
  }
}
