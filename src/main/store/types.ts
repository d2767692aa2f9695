import type { Answer, ChatSummary, Message, UserMessage } from '../../shared/chat';
import type { JournalRow } from '../../shared/journal';

/** How often a model has answered and when last, wall ms, since the beginning of the journal. */
export interface ModelUse {
  backend: string;
  model: string;
  useCount: number;
  lastUsedAt: number;
}

/**
 * Chats and journal in SQLite, owned by a worker thread; every method is a message to it, so no query runs on the main
 * thread. Rejects with `disk_full`, `database_unreadable`, `database_newer` or `read_only`.
 */
export interface Store {
  readonly readOnly: boolean;
  listChats(): Promise<ChatSummary[]>;
  searchChats(query: string): Promise<ChatSummary[]>;
  messages(chatId: string): Promise<Message[]>;
  /**
   * Stores a user message with its empty queued answer; creates the chat if new. `replaces` = a message of the chat
   * that is deleted with all that follow it. One transaction. Rejects with `not_found` if the chat was deleted or that
   * message does not exist.
   */
  addTurn(turn: {
    chat: { id: string; title: string } | null;
    user: UserMessage;
    answer: Answer;
    replaces?: string;
  }): Promise<void>;
  /** Rejects with `not_found` if the chat was deleted. */
  addAnswer(answer: Answer): Promise<void>;
  /** Replaces text, status and meta of an answer (called at most about once a second while it streams). */
  saveAnswer(answer: Answer): Promise<void>;
  message(id: string): Promise<Message | null>;
  /**
   * Answers that only report that a capable model is missing, oldest first: the newest one of each message, in chats
   * that are not deleted.
   */
  waitingAnswers(): Promise<Answer[]>;
  renameChat(chatId: string, title: string): Promise<void>;
  /** Hides a chat (undo possible). */
  hideChat(chatId: string): Promise<void>;
  restoreChat(chatId: string): Promise<void>;
  /** Permanently erases a hidden chat (`secure_delete`). */
  eraseChat(chatId: string): Promise<void>;
  /** Answers left `queued` or `streaming` by a dead instance become `stopped` with a notice; erases hidden chats. */
  recover(): Promise<{ interrupted: number; erased: number }>;
  /** Queues a journal row; written in batches, at most 1 s later. Never rejects. */
  journal(row: JournalRow): void;
  /** Every model that has answered, from the journal, including rows that are not written yet. */
  modelUses(): Promise<ModelUse[]>;
  /** Flushes and closes. */
  close(): Promise<void>;
}
