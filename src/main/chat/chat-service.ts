import { randomUUID } from 'node:crypto';
import type { Answer, Message, Target, UserMessage } from '../../shared/chat';
import type { Push } from '../../shared/contract';
import { emptyMeta } from '../../shared/empty-meta';
import { TandemError, toTandemError } from '../../shared/errors';
import type { Dispatcher } from '../dispatch/types';
import type { Clock } from '../ports/clock';
import { Emitter } from '../ports/emitter';
import type { Logger } from '../ports/logger';
import type { Store } from '../store/types';
import { AnswerSaver } from './answer-saver';
import { RunningAnswers } from './running-answers';

/** A deleted chat can be restored for this long, ms. */
export const UNDO_MS = 10_000;

interface Turn {
  user: UserMessage;
  answer: Answer;
}

/** Chats: stores each user message before it is answered, and keeps it in any case. */
export class ChatService {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #answers: RunningAnswers;
  /** Cancel functions of pending erasures, by chat. */
  readonly #erasures = new Map<string, () => void>();
  readonly #pushes = new Emitter<Push>();
  readonly #listChanged = new Emitter<void>();

  readonly onPush = this.#pushes.subscribe;
  /** The list of chats changed (title, order, new, deleted). */
  readonly onListChanged = this.#listChanged.subscribe;

  constructor(options: { store: Store; dispatcher: Dispatcher; clock: Clock; logger: Logger }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger.child('chat');
    this.#answers = new RunningAnswers({
      ...options,
      saver: new AnswerSaver(options.store, options.clock, this.#logger),
      pushes: this.#pushes,
      onEnded: () => this.#listChanged.emit(),
    });
  }

  /** Messages of a chat; a running answer has its current text. */
  open(chatId: string): Promise<Message[]> {
    return this.#answers.messages(chatId);
  }

  /**
   * Stores the message, then answers it. Rejects, without sending anything, if it cannot be stored. A message sent
   * again with the same `newId`, as its sender got no response, is neither stored nor answered twice.
   */
  async send(chatId: string | null, text: string, target: Target, newId?: string): Promise<Turn> {
    return (await this.#arrived(newId)) ?? this.#send({ chatId, text, target, newId });
  }

  async #send({
    chatId,
    text,
    target,
    newId = randomUUID(),
    replaces,
  }: {
    chatId: string | null;
    text: string;
    target: Target;
    newId?: string;
    replaces?: string;
  }): Promise<Turn> {
    const at = this.#clock.wall().getTime();
    const id = chatId ?? randomUUID();
    const user: UserMessage = { role: 'user', id: newId, chatId: id, text, at };
    const answer = newAnswer(id, user.id, at, target);
    await this.#store.addTurn({
      chat: chatId === null ? { id, title: firstTitle(text) } : null,
      user,
      answer,
      replaces,
    });
    this.#listChanged.emit();
    this.#pushes.emit({ name: 'chatChanged', payload: { chatId: id } });
    this.#answers.start(answer, target);
    return { user, answer };
  }

  /** The turn of a message that was stored before. */
  async #arrived(newId: string | undefined): Promise<Turn | null> {
    const user = newId === undefined ? null : await this.#store.message(newId);
    if (user?.role !== 'user') return null;
    const messages = await this.open(user.chatId);
    const answer = messages.findLast(
      (message) => message.role === 'assistant' && message.replyTo === user.id,
    );
    return answer?.role === 'assistant' ? { user, answer } : null;
  }

  /** Another answer to the message that `answerId` answers; `overruleMemory`: the memory guard admits it. */
  async retry(answerId: string, target: Target, { overruleMemory = false } = {}): Promise<Answer> {
    const old = await this.#answer(answerId);
    const answer = newAnswer(old.chatId, old.replyTo, this.#clock.wall().getTime(), target);
    await this.#store.addAnswer(answer);
    this.#pushes.emit({ name: 'chatChanged', payload: { chatId: answer.chatId } });
    this.#answers.start(answer, target, overruleMemory);
    return answer;
  }

  /** Replaces a user message and all that follows it. Rejects, without any change, if that cannot be stored. */
  async edit(messageId: string, text: string, target: Target, newId?: string): Promise<Turn> {
    const arrived = await this.#arrived(newId);
    if (arrived) return arrived;
    const message = await this.#store.message(messageId);
    if (message?.role !== 'user')
      throw new TandemError('not_found', 'This message is gone. Open the chat again.');
    const running = this.#answers.ids(message.chatId);
    const { chatId } = message;
    const turn = await this.#send({ chatId, text, target, newId, replaces: messageId });
    for (const id of running) this.stop(id);
    return turn;
  }

  /** Stops an answer at once; its text so far stays. Does nothing if it has ended. */
  stop(answerId: string): void {
    this.#answers.stop(answerId);
  }

  async rename(chatId: string, title: string): Promise<void> {
    await this.#store.renameChat(chatId, title.trim());
    this.#listChanged.emit();
  }

  /** Hides a chat and permanently erases it after the undo time. */
  async remove(chatId: string): Promise<void> {
    // An erasure of an earlier deletion that came due during the write would leave no time to undo.
    this.#erasures.get(chatId)?.();
    await this.#store.hideChat(chatId);
    for (const id of this.#answers.ids(chatId)) this.stop(id);
    this.#listChanged.emit();
    // Another window may have deleted it during the write.
    this.#erasures.get(chatId)?.();
    const cancel = this.#clock.after(UNDO_MS, () => {
      this.#erasures.delete(chatId);
      this.#store
        .eraseChat(chatId)
        .catch((error) => this.#logger.warn('erase-failed', { error: String(error) }));
    });
    this.#erasures.set(chatId, cancel);
  }

  /** The erasure that is due finds the chat visible, and does nothing. */
  async restore(chatId: string): Promise<void> {
    await this.#store.restoreChat(chatId);
    this.#listChanged.emit();
  }

  /**
   * Restarts, in place, the answers that wait for a capable model, also those of earlier runs; those that still have
   * none keep waiting. Never rejects.
   */
  async answerWaiting(): Promise<void> {
    if (this.#store.readOnly) return;
    const busy = new Set(this.#answers.ids());
    try {
      for (const answer of await this.#store.waitingAnswers()) {
        if (busy.has(answer.id) || this.#answers.get(answer.id)) continue;
        this.#answers.start({ ...answer, status: 'queued', meta: emptyMeta() }, { kind: 'auto' });
      }
    } catch (error) {
      this.#logger.warn('waiting-not-read', { code: toTandemError(error).code });
    }
  }

  /** Stops all answers with the notice `interrupted`, and waits until they are stored. */
  close(): Promise<void> {
    return this.#answers.close();
  }

  async #answer(answerId: string): Promise<Answer> {
    const message = this.#answers.get(answerId) ?? (await this.#store.message(answerId));
    if (message?.role !== 'assistant')
      throw new TandemError('not_found', 'This answer is gone. Open the chat again.');
    return message;
  }
}

function newAnswer(chatId: string, replyTo: string, at: number, target: Target): Answer {
  return {
    role: 'assistant',
    id: randomUUID(),
    chatId,
    replyTo,
    text: '',
    status: 'queued',
    meta: { ...emptyMeta(), target },
    at,
  };
}

/** A first title: the first line, cut at a word. */
function firstTitle(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  if (line.length <= 60) return line;
  const cut = line.slice(0, 60);
  return `${cut.slice(0, Math.max(30, cut.lastIndexOf(' ')))}…`;
}
