import type { ModelUse, Store } from '../../src/main/store/types';
import type { Answer, ChatSummary, Message } from '../../src/shared/chat';
import { TandemError } from '../../src/shared/errors';
import type { JournalRow } from '../../src/shared/journal';

/** A Store in memory for tests of its callers; the real one has its own tests. */
export class MemoryStore implements Store {
  readonly readOnly = false;
  readonly saved: Message[] = [];
  readonly rows: JournalRow[] = [];
  readonly #chats = new Map<string, ChatSummary & { hidden: boolean }>();
  /** If set, the next writes fail with it. */
  failure: Error | null = null;

  async listChats(): Promise<ChatSummary[]> {
    return [...this.#chats.values()].filter((chat) => !chat.hidden);
  }
  async searchChats(query: string): Promise<ChatSummary[]> {
    return (await this.listChats()).filter((chat) => chat.title.includes(query));
  }
  async messages(chatId: string): Promise<Message[]> {
    return this.saved.filter((message) => message.chatId === chatId);
  }
  async addTurn(turn: Parameters<Store['addTurn']>[0]): Promise<void> {
    this.#check();
    if (!turn.chat) this.#require(turn.user.chatId);
    if (turn.replaces !== undefined) this.#truncateFrom(turn.replaces);
    if (turn.chat) {
      const { at } = turn.user;
      this.#chats.set(turn.chat.id, {
        ...turn.chat,
        preview: '',
        createdAt: at,
        updatedAt: at,
        hidden: false,
      });
    }
    this.saved.push(turn.user, turn.answer);
  }
  async addAnswer(answer: Answer): Promise<void> {
    this.#check();
    this.#require(answer.chatId);
    this.saved.push(answer);
  }
  async saveAnswer(answer: Answer): Promise<void> {
    this.#check();
    const index = this.saved.findIndex((message) => message.id === answer.id);
    if (index >= 0) this.saved[index] = answer;
  }
  async message(id: string): Promise<Message | null> {
    return this.saved.find((message) => message.id === id) ?? null;
  }
  async waitingAnswers(): Promise<Answer[]> {
    const newest = new Map<string, Answer>();
    for (const message of this.saved) {
      const hidden = this.#chats.get(message.chatId)?.hidden ?? true;
      if (message.role === 'assistant' && !hidden) newest.set(message.replyTo, message);
    }
    return [...newest.values()].filter(({ status, meta }) => status === 'done' && meta.notice === 'no_model');
  }
  async renameChat(chatId: string, title: string): Promise<void> {
    const chat = this.#chats.get(chatId);
    if (chat) chat.title = title;
  }
  async hideChat(chatId: string): Promise<void> {
    const chat = this.#chats.get(chatId);
    if (chat) chat.hidden = true;
  }
  async restoreChat(chatId: string): Promise<void> {
    const chat = this.#chats.get(chatId);
    if (chat) chat.hidden = false;
  }
  async eraseChat(chatId: string): Promise<void> {
    if (this.#chats.get(chatId)?.hidden) this.#chats.delete(chatId);
  }
  async recover(): Promise<{ interrupted: number; erased: number }> {
    return { interrupted: 0, erased: 0 };
  }
  journal(row: JournalRow): void {
    this.rows.push(row);
  }
  async modelUses(): Promise<ModelUse[]> {
    return [];
  }
  async close(): Promise<void> {}

  #truncateFrom(messageId: string): void {
    const index = this.saved.findIndex((message) => message.id === messageId);
    if (index < 0) throw new TandemError('not_found', 'no such message');
    this.saved.splice(index);
  }

  #require(chatId: string): void {
    if (this.#chats.get(chatId)?.hidden ?? true) throw new TandemError('not_found', 'no such chat');
  }

  #check(): void {
    if (this.failure) throw this.failure;
  }
}
