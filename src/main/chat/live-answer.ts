import type { Answer, AnswerMeta } from '../../shared/chat';
import type { CompletionEnd } from '../../shared/completion';
import type { Push } from '../../shared/contract';
import { splitThinking, THINK, THINK_END } from '../../shared/thinking';
import type { DispatchEvent } from '../dispatch/types';
import type { Clock } from '../ports/clock';

/**
 * A shorter generation, in ms, has no speed: a small model's tokens arrive in one read, and the time between two reads
 * says nothing about the model.
 */
const MIN_MEASURED_MS = 20;

/** Text is pushed to the UI at most this often, ms: every second frame of a 60 Hz screen. */
const PUSH_MS = 33;

type TextEvent = Extract<DispatchEvent, { type: 'text' | 'thinking' }>;

/**
 * One answer while it is being written: applies the dispatcher's events to it and returns the pushes for the UI. Text is only
 * appended, so a client can tell by the offset what it already has.
 */
export class LiveAnswer {
  #answer: Answer;
  /** Time of the first text, to measure the speed if the backend reports no durations. */
  #startedAt: number | null = null;
  /** Thinking from a separate field is open: the text has its opening mark but not its closing mark. */
  #inField = false;
  /** Start of the current server's text. */
  #partAt: number;
  /** Start of that part's thinking, monotonic ms; undecided until its first characters have arrived. */
  #thought: { kind: 'undecided' | 'none' } | { kind: 'since'; at: number } = { kind: 'undecided' };

  constructor(answer: Answer) {
    this.#answer = answer;
    this.#partAt = answer.text.length;
  }

  get answer(): Answer {
    return this.#answer;
  }

  /** Applies an event other than text, see `words`; returns its pushes. `now` is monotonic ms, `notice` is shown below a complete answer. */
  apply(event: Exclude<DispatchEvent, TextEvent>, now: number, notice: AnswerMeta['notice'] = null): Push[] {
    switch (event.type) {
      case 'routed':
        return this.meta({ category: event.category, reasons: event.reasons });
      case 'waiting':
        return this.meta({
          source: event.backend,
          model: event.model,
          position: event.position,
          etaMs: event.etaMs,
          recovery: this.#withoutWait(),
        });
      case 'recovering':
        return this.meta({
          recovery: { failed: event.failed, awaited: event.awaited },
          position: null,
          etaMs: null,
        });
      case 'attempt':
        return this.meta({
          source: event.backend,
          model: event.model,
          reasons: event.reasons,
          queueMs: event.queueMs,
          droppedTurns: event.droppedTurns ?? 0,
          position: null,
          etaMs: null,
          recovery: undefined,
        });
      case 'started':
        this.#startedAt = now;
        return this.#set(
          { status: 'streaming' },
          {
            source: event.backend,
            model: event.model,
            reasons: event.reasons,
            queueMs: event.queueMs,
            ttftMs: event.ttftMs,
          },
        );
      case 'break':
        this.#partAt = this.#answer.text.length;
        this.#inField = false;
        this.#thought = { kind: 'undecided' };
        return this.meta({
          recovery: undefined,
          breaks: [
            ...this.#answer.meta.breaks,
            { at: this.#answer.text.length, from: event.from, to: event.to, reason: event.reason },
          ],
        });
      case 'end':
        return this.#end(event, now, notice);
      case 'prefill':
      case 'tool_call':
        return [];
      default:
        return event satisfies never;
    }
  }

  /** The text that an event adds, with marks around thinking. Call once for each event, in order. */
  words(event: TextEvent): string {
    const thinks = event.type === 'thinking';
    if (thinks === this.#inField) return event.text;
    this.#inField = thinks;
    return thinks ? `${THINK}${event.text}` : `${THINK_END}\n\n${event.text}`;
  }

  /** Appends text; `now` is monotonic ms. */
  text(text: string, now: number): Push[] {
    const offset = this.#answer.text.length;
    this.#answer = { ...this.#answer, text: this.#answer.text + text };
    return [
      {
        name: 'answerText',
        payload: { answerId: this.#answer.id, chatId: this.#answer.chatId, offset, text },
      },
      ...this.#timeThinking(offset, now),
    ];
  }

  /** Measures thinking by its marks in the text, since some models write them. `offset`: start of the new text. */
  #timeThinking(offset: number, now: number): Push[] {
    const { text, meta } = this.#answer;
    if (this.#thought.kind === 'none') return [];
    if (this.#thought.kind === 'undecided') {
      const part = splitThinking(text.slice(this.#partAt));
      if (part.said !== '' && part.thinking === '') this.#thought = { kind: 'none' };
      else if (text.includes(THINK, this.#partAt)) this.#thought = { kind: 'since', at: now };
    }
    if (this.#thought.kind !== 'since') return [];
    if (!text.includes(THINK_END, Math.max(this.#partAt, offset - THINK_END.length))) return [];
    const thinkingMs = (meta.thinkingMs ?? 0) + now - this.#thought.at;
    this.#thought = { kind: 'none' };
    return this.meta({ thinkingMs });
  }

  meta(meta: Partial<AnswerMeta>): Push[] {
    return this.#set({}, meta);
  }

  /** The request is in the next server's queue: it awaits no server any more, but the failure is still shown. */
  #withoutWait(): AnswerMeta['recovery'] {
    const failed = this.#answer.meta.recovery?.failed;
    return failed ? { failed, awaited: [] } : undefined;
  }

  /** Ends the answer with a status; its text so far stays. */
  settle(status: 'done' | 'stopped' | 'failed', meta: Partial<AnswerMeta> = {}): Push[] {
    return this.#set({ status }, { position: null, etaMs: null, recovery: undefined, ...meta });
  }

  #end(event: Extract<DispatchEvent, { type: 'end' }>, now: number, notice: AnswerMeta['notice']): Push[] {
    const { end } = event;
    return this.settle('done', {
      source: event.backend,
      model: event.model,
      reasons: event.reasons,
      promptTokens: end.promptTokens,
      completionTokens: end.completionTokens,
      tokensPerSecond: this.#speed(end, now),
      notice,
    });
  }

  /** Tokens per second of generation, by the backend's own measurement if it reports one. */
  #speed({ evalMs, completionTokens }: CompletionEnd, now: number): number | null {
    const elapsed = evalMs ?? (this.#startedAt === null ? 0 : now - this.#startedAt);
    if (completionTokens <= 1 || elapsed <= 0) return null;
    if (evalMs === undefined && elapsed < MIN_MEASURED_MS) return null;
    return (completionTokens / elapsed) * 1000;
  }

  #set(change: Partial<Pick<Answer, 'status'>>, meta: Partial<AnswerMeta>): Push[] {
    this.#answer = { ...this.#answer, ...change, meta: { ...this.#answer.meta, ...meta } };
    return [this.state()];
  }

  /** The whole state without the text. */
  state(): Push {
    const { id, chatId, replyTo, status, meta, text, at } = this.#answer;
    return {
      name: 'answerState',
      payload: { answerId: id, chatId, replyTo, status, meta, length: text.length, at },
    };
  }
}

/** Collects small pieces of text: sends the first at once, the rest at most every `PUSH_MS`. */
export class TextFlusher {
  readonly #clock: Clock;
  readonly #out: (text: string) => void;
  #pending = '';
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, out: (text: string) => void) {
    this.#clock = clock;
    this.#out = out;
  }

  add(text: string): void {
    this.#pending += text;
    if (this.#cancel) return;
    this.#send();
    this.#cancel = this.#clock.after(PUSH_MS, () => this.flush());
  }

  flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#send();
  }

  #send(): void {
    if (this.#pending === '') return;
    const text = this.#pending;
    this.#pending = '';
    this.#out(text);
  }
}
