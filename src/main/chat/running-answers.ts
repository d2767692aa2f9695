import type { Answer, AnswerMeta, Message, Target } from '../../shared/chat';
import type { ChatMessage, CompletionRequest } from '../../shared/completion';
import type { Push } from '../../shared/contract';
import type { ModelChoice } from '../../shared/domain';
import { TandemError, toTandemError } from '../../shared/errors';
import { saidText } from '../../shared/thinking';
import type { Dispatcher } from '../dispatch/types';
import type { Clock } from '../ports/clock';
import type { Emitter } from '../ports/emitter';
import type { Store } from '../store/types';
import type { AnswerSaver } from './answer-saver';
import { LiveAnswer, TextFlusher } from './live-answer';

/** A streaming answer is stored at this interval, ms, so that `kill -9` loses at most the last second. */
const SAVE_MS = 700;

interface Running {
  live: LiveAnswer;
  controller: AbortController;
  target: Target;
  overruleMemory: boolean;
  /** Ended by the end of the app, not by the user. */
  interrupted: boolean;
}

export interface RunningAnswersOptions {
  store: Pick<Store, 'messages'>;
  dispatcher: Dispatcher;
  saver: AnswerSaver;
  clock: Clock;
  pushes: Emitter<Push>;
  /** Called when an answer has ended and is stored. */
  onEnded: () => void;
}

/** The running answers: requests each from the dispatcher, streams it, and stores it in any case. */
export class RunningAnswers {
  readonly #options: RunningAnswersOptions;
  readonly #clock: Clock;
  readonly #saver: AnswerSaver;
  readonly #running = new Map<string, Running>();

  constructor(options: RunningAnswersOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#saver = options.saver;
  }

  /** Messages of a chat; a running answer has its current text. */
  async messages(chatId: string): Promise<Message[]> {
    const messages = await this.#options.store.messages(chatId);
    return messages.map((message) => this.get(message.id) ?? this.#saver.unsaved(message.id) ?? message);
  }

  /** The current state of a running answer; else undefined. */
  get(answerId: string): Answer | undefined {
    return this.#running.get(answerId)?.live.answer;
  }

  /** Ids of the running answers, in all chats or in one. */
  ids(chatId?: string): string[] {
    return [...this.#running.values()]
      .map(({ live }) => live.answer)
      .filter((answer) => chatId === undefined || answer.chatId === chatId)
      .map(({ id }) => id);
  }

  /** Stops an answer at once; its text so far stays. Does nothing if it has ended. */
  stop(answerId: string): void {
    this.#running.get(answerId)?.controller.abort(new TandemError('cancelled', 'Stopped.'));
  }

  /** Stops all answers with the notice `interrupted`, and waits until they are stored. */
  async close(): Promise<void> {
    const settled = [...this.#running.values()].map((running) => {
      running.interrupted = true;
      this.stop(running.live.answer.id);
      return this.#saver.save(running.live.answer);
    });
    await Promise.all(settled);
    await this.#saver.flush();
  }

  /** Starts an answer; `overruleMemory`: the memory guard admits it. */
  start(answer: Answer, target: Target, overruleMemory = false): void {
    const controller = new AbortController();
    const running = { live: new LiveAnswer(answer), controller, target, overruleMemory, interrupted: false };
    this.#running.set(answer.id, running);
    this.#tell([running.live.state()]);
    void this.#run(running);
  }

  /** Never rejects: every outcome is a status that the user sees. */
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
      for await (const event of this.#options.dispatcher.dispatch(request, controller.signal)) {
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
      this.#options.onEnded();
    }
  }

  /** The message was stored before its answer started; it is read here with the turns before it. */
  async #request({ live, target, overruleMemory }: Running): Promise<CompletionRequest> {
    const messages = await this.#options.store.messages(live.answer.chatId);
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

  /** The notice of the small model, shown once per chat. */
  async #smallModelNotice({ chatId, id }: Answer, reasons: readonly string[]): Promise<AnswerMeta['notice']> {
    if (!reasons.includes('small-model')) return null;
    // Showing it twice does less harm than never.
    const messages = await this.messages(chatId).catch(() => []);
    const told = messages.some(
      (message) => message.role === 'assistant' && message.id !== id && message.meta.notice === 'small_model',
    );
    return told ? null : 'small_model';
  }

  #fail(live: LiveAnswer, error: TandemError): void {
    // Cancelled in the queue view: the same as Stop.
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
    for (const push of pushes) this.#options.pushes.emit(push);
  }
}

function failure(error: TandemError): Answer['meta']['error'] {
  return { code: error.code, message: error.message, details: error.details };
}

/**
 * The conversation that a model gets for an answer to `replyTo`: every user message up to it, each followed by its
 * newest answer with text of a model, without the thinking. Tandem's own texts and failed answers are left out.
 */
function conversation(messages: readonly Message[], replyTo: string): ChatMessage[] {
  const answers = new Map<string, Answer>();
  for (const message of messages) {
    if (message.role === 'assistant' && isTurn(message)) answers.set(message.replyTo, message);
  }
  const turns: ChatMessage[] = [];
  for (const message of messages) {
    if (message.role !== 'user') continue;
    turns.push({ role: 'user', content: message.text });
    if (message.id === replyTo) break;
    const answer = answers.get(message.id);
    if (answer) turns.push({ role: 'assistant', content: saidText(answer) });
  }
  return turns;
}

/** The model choice for a target in the chat. */
function modelChoice(target: Target): ModelChoice {
  switch (target.kind) {
    case 'auto':
      return { kind: 'auto' };
    case 'backend':
      return { kind: 'backend', backend: target.backend };
    case 'model':
      return { kind: 'named', name: target.model, backend: target.backend };
    default:
      return target satisfies never;
  }
}

/** Does it contain text of a model? */
function isTurn(answer: Answer): boolean {
  return saidText(answer) !== '' && answer.meta.source !== 'app' && answer.status !== 'failed';
}
