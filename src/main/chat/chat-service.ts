import { randomUUID } from 'node:crypto';
import type { Answer, AnswerMeta, Message, Target, UserMessage } from '../../shared/chat';
import type { Push } from '../../shared/contract';
import type { CompletionRequest } from '../../shared/domain';
import { emptyMeta } from '../../shared/empty-meta';
import { TandemError, toTandemError } from '../../shared/errors';
import type { Clock } from '../ports/clock';
import { Emitter } from '../ports/emitter';
import type { Logger } from '../ports/logger';
import type { Dispatcher } from '../router/types';
import type { Store } from '../store/types';
import { AnswerSaver } from './answer-saver';
import { conversation, firstTitle, modelChoice } from './history';
import { LiveAnswer } from './live-answer';
import { TextFlusher } from './text-flusher';

/** A streaming answer is stored this often, ms, so that `kill -9` loses at most the last second. */
const SAVE_MS = 700;
/** A deleted chat can be brought back for this long, ms. */
export const UNDO_MS = 10_000;

interface Running {
  live: LiveAnswer;
  controller: AbortController;
  target: Target;
  overruleMemory: boolean;
  /** It is not the user who ends it, but the end of the app. */
  interrupted: boolean;
}

interface Turn {
  user: UserMessage;
  answer: Answer;
}

/** Chats: stores what the user says before it is sent, streams the answers, keeps both whatever happens. */
export class ChatService {
  readonly #store: Store;
  readonly #dispatcher: Dispatcher;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #saver: AnswerSaver;
  readonly #running = new Map<string, Running>();
  /** Cancels the erasing of a chat that can still be brought back. */
  readonly #erasures = new Map<string, () => void>();
  readonly #pushes = new Emitter<Push>();
  readonly #listChanged = new Emitter<void>();

  readonly onPush = this.#pushes.subscribe;
  /** The list of chats changed (title, order, new, deleted). */
  readonly onListChanged = this.#listChanged.subscribe;

  constructor(options: { store: Store; dispatcher: Dispatcher; clock: Clock; logger: Logger }) {
    this.#store = options.store;
    this.#dispatcher = options.dispatcher;
    this.#clock = options.clock;
    this.#logger = options.logger.child('chat');
    this.#saver = new AnswerSaver(options.store, options.clock, this.#logger);
  }

  /** Messages of a chat; an answer being written comes with the text it has by now. */
  async open(chatId: string): Promise<Message[]> {
    const messages = await this.#store.messages(chatId);
    return messages.map(
      (message) => this.#running.get(message.id)?.live.answer ?? this.#saver.unsaved(message.id) ?? message,
    );
  }

  /**
   * Stores the message, then answers it. Rejects, with nothing sent, when it cannot be stored. One that comes again
   * under the same `newId`, as its sender did not hear of its arrival, is neither stored nor answered twice.
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
    this.#start(answer, target);
    return { user, answer };
  }

  /** The turn of a message that has come before. */
  async #arrived(newId: string | undefined): Promise<Turn | null> {
    const user = newId === undefined ? null : await this.#store.message(newId);
    if (user?.role !== 'user') return null;
    const messages = await this.open(user.chatId);
    const answer = messages.findLast(
      (message) => message.role === 'assistant' && message.replyTo === user.id,
    );
    return answer?.role === 'assistant' ? { user, answer } : null;
  }

  /** A further answer to the message that `answerId` answers; `overruleMemory`: the guard lets this one pass. */
  async retry(answerId: string, target: Target, { overruleMemory = false } = {}): Promise<Answer> {
    const old = await this.#answer(answerId);
    const answer = newAnswer(old.chatId, old.replyTo, this.#clock.wall().getTime(), target);
    await this.#store.addAnswer(answer);
    this.#pushes.emit({ name: 'chatChanged', payload: { chatId: answer.chatId } });
    this.#start(answer, target, overruleMemory);
    return answer;
  }

  /** Replaces a user message and all that follows it. Rejects, with all of it as it was, when that cannot be stored. */
  async edit(messageId: string, text: string, target: Target, newId?: string): Promise<Turn> {
    const arrived = await this.#arrived(newId);
    if (arrived) return arrived;
    const message = await this.#store.message(messageId);
    if (message?.role !== 'user')
      throw new TandemError('not_found', 'This message is gone. Open the chat again.');
    const running = this.#runningIn(message.chatId);
    const { chatId } = message;
    const turn = await this.#send({ chatId, text, target, newId, replaces: messageId });
    for (const id of running) this.stop(id);
    return turn;
  }

  /** Stops an answer at once; what arrived stays. Stopping an ended one is no error. */
  stop(answerId: string): void {
    this.#running.get(answerId)?.controller.abort(new TandemError('cancelled', 'Stopped.'));
  }

  async rename(chatId: string, title: string): Promise<void> {
    await this.#store.renameChat(chatId, title.trim());
    this.#listChanged.emit();
  }

  /** Hides a chat and erases it for good after the undo time. */
  async remove(chatId: string): Promise<void> {
    await this.#store.hideChat(chatId);
    for (const id of this.#runningIn(chatId)) this.stop(id);
    this.#listChanged.emit();
    this.#cancelErasure(chatId);
    const cancel = this.#clock.after(UNDO_MS, () => {
      this.#erasures.delete(chatId);
      this.#store
        .eraseChat(chatId)
        .catch((error) => this.#logger.warn('erase-failed', { error: String(error) }));
    });
    this.#erasures.set(chatId, cancel);
  }

  async restore(chatId: string): Promise<void> {
    this.#cancelErasure(chatId);
    await this.#store.restoreChat(chatId);
    this.#listChanged.emit();
  }

  /**
   * Answers, in place, what had to wait for a capable model, also since before the last start; what still cannot be
   * answered goes on waiting. Never rejects.
   */
  async answerWaiting(): Promise<void> {
    if (this.#store.readOnly) return;
    const busy = new Set(this.#running.keys());
    try {
      for (const answer of await this.#store.waitingAnswers()) {
        if (busy.has(answer.id) || this.#running.has(answer.id)) continue;
        this.#start({ ...answer, status: 'queued', meta: emptyMeta() }, { kind: 'auto' });
      }
    } catch (error) {
      this.#logger.warn('waiting-not-read', { code: toTandemError(error).code });
    }
  }

  /** Stops all answers, which say why, and waits until they are stored. */
  async close(): Promise<void> {
    const settled = [...this.#running.values()].map((running) => {
      running.interrupted = true;
      this.stop(running.live.answer.id);
      return this.#saver.save(running.live.answer);
    });
    await Promise.all(settled);
    await this.#saver.flush();
  }

  /** Ids of the answers that are being written in a chat. */
  #runningIn(chatId: string): string[] {
    return [...this.#running.values()]
      .filter(({ live }) => live.answer.chatId === chatId)
      .map(({ live }) => live.answer.id);
  }

  #cancelErasure(chatId: string): void {
    this.#erasures.get(chatId)?.();
    this.#erasures.delete(chatId);
  }

  async #answer(answerId: string): Promise<Answer> {
    const message = this.#running.get(answerId)?.live.answer ?? (await this.#store.message(answerId));
    if (message?.role !== 'assistant')
      throw new TandemError('not_found', 'This answer is gone. Open the chat again.');
    return message;
  }

  #start(answer: Answer, target: Target, overruleMemory = false): void {
    const controller = new AbortController();
    const running = { live: new LiveAnswer(answer), controller, target, overruleMemory, interrupted: false };
    this.#running.set(answer.id, running);
    this.#pushes.emit(running.live.state());
    void this.#run(running);
  }

  /** Never rejects: every end of an answer is a state that the user sees. */
  async #run(running: Running): Promise<void> {
    const { live, controller } = running;
    const text = new TextFlusher(this.#clock, (part) => this.#tell(live.text(part, this.#clock.now())));
    const stopSaving = this.#clock.every(SAVE_MS, () => {
      if (live.answer.status === 'streaming') void this.#saver.save(live.answer);
    });
    const onAbort = () => {
      // The answer is complete; only the request's cleanup is left.
      if (live.answer.status === 'done') return;
      text.flush();
      this.#tell(live.settle('stopped', running.interrupted ? { notice: 'interrupted' } : {}));
    };
    controller.signal.addEventListener('abort', onAbort, { once: true });
    try {
      const request = await this.#request(running);
      for await (const event of this.#dispatcher.dispatch(request, controller.signal)) {
        if (controller.signal.aborted) break;
        if (event.type === 'text' || event.type === 'thinking') {
          text.add(live.words(event));
          continue;
        }
        text.flush();
        const notice = event.type === 'end' ? await this.#smallModelNotice(live.answer, event.reasons) : null;
        if (controller.signal.aborted) break;
        this.#tell(live.apply(event, this.#clock.now(), notice));
      }
      text.flush();
      if (!controller.signal.aborted && live.answer.status !== 'done') {
        this.#tell(
          live.settle('failed', {
            error: failure(new TandemError('backend_failed', 'The answer broke off.')),
          }),
        );
      }
    } catch (error) {
      text.flush();
      if (!controller.signal.aborted) this.#fail(live, toTandemError(error));
    } finally {
      controller.signal.removeEventListener('abort', onAbort);
      stopSaving();
      this.#running.delete(live.answer.id);
      await this.#saver.save(live.answer);
      this.#listChanged.emit();
    }
  }

  async #request({ live, target, overruleMemory }: Running): Promise<CompletionRequest> {
    const messages = await this.#store.messages(live.answer.chatId);
    return {
      id: live.answer.id,
      messages: conversation(messages, live.answer.replyTo),
      model: modelChoice(target),
      priority: 'high',
      client: 'ui',
      sampling: {},
      strict: false,
      overruleMemory,
      origin: 'chat',
    };
  }

  /** Once in a chat an answer of the small model says that it is one. */
  async #smallModelNotice({ chatId, id }: Answer, reasons: readonly string[]): Promise<AnswerMeta['notice']> {
    if (!reasons.includes('small-model')) return null;
    // Said twice does less harm than not at all.
    const messages = await this.open(chatId).catch(() => []);
    const told = messages.some(
      (message) => message.role === 'assistant' && message.id !== id && message.meta.notice === 'small_model',
    );
    return told ? null : 'small_model';
  }

  #fail(live: LiveAnswer, error: TandemError): void {
    // Taken out of the queue by hand: the same as Stop.
    if (error.code === 'cancelled') {
      this.#tell(live.settle('stopped'));
      return;
    }
    if (error.code === 'no_model') {
      this.#tell(
        live.settle('done', { source: 'app', model: null, notice: 'no_model', error: failure(error) }),
      );
      return;
    }
    const begun = live.answer.text.length > 0;
    const source = begun ? live.answer.meta.source : 'app';
    const notice = error.code === 'ollama_down' && !begun ? error.code : null;
    this.#tell(live.settle('failed', { source, notice, error: failure(error) }));
  }

  #tell(pushes: readonly Push[]): void {
    for (const push of pushes) this.#pushes.emit(push);
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

function failure(error: TandemError): Answer['meta']['error'] {
  return { code: error.code, message: error.message, details: error.details };
}
