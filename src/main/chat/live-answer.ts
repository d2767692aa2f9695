import type { Answer, AnswerMeta } from '../../shared/chat';
import type { Push } from '../../shared/contract';
import type { CompletionEnd } from '../../shared/domain';
import { splitThinking, THINK, THINK_END } from '../../shared/thinking';
import type { RouterEvent } from '../router/types';

/**
 * Generation shorter than this has no speed, ms: a small model's tokens arrive in one read, and the time between two
 * reads says nothing about the model.
 */
const MIN_MEASURED_MS = 20;

/**
 * One answer while it is being written: applies router events to it and says what a UI must be told.
 * Text is only ever appended, so a client can always tell by the offset what it has already.
 */
export class LiveAnswer {
  #answer: Answer;
  /** When the first text came, for a speed when the backend tells no durations. */
  #startedAt: number | null = null;
  /** The text has an opening mark of thinking without its closing mark: it came in a field of its own. */
  #inField = false;
  /** Where the text of the server that writes now begins. */
  #partAt: number;
  /** When the thinking of that part began, monotonic ms; undecided until its first letters have come. */
  #thought: { kind: 'undecided' | 'none' } | { kind: 'since'; at: number } = { kind: 'undecided' };

  constructor(answer: Answer) {
    this.#answer = answer;
    this.#partAt = answer.text.length;
  }

  get answer(): Answer {
    return this.#answer;
  }

  /** Applies one event; returns the pushes it causes. `now` is monotonic ms, `notice` what is said below a whole answer. */
  apply(event: RouterEvent, now: number, notice: AnswerMeta['notice'] = null): Push[] {
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
      case 'text':
      case 'thinking':
        return this.text(this.words(event), now);
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
      case 'tool_calls':
        return [];
      default:
        return event satisfies never;
    }
  }

  /** What an event adds to the text: thinking comes between its marks. Call once for each event, in order. */
  words(event: Extract<RouterEvent, { type: 'text' | 'thinking' }>): string {
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

  /** Measures the thinking by the text, since some models write it there themselves. `offset`: where the new text begins. */
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

  /** The next server is known and the request is in its queue: nothing is awaited any more, the failure is still shown. */
  #withoutWait(): AnswerMeta['recovery'] {
    const failed = this.#answer.meta.recovery?.failed;
    return failed ? { failed, awaited: [] } : undefined;
  }

  /** Ends the answer in a state; what arrived stays. */
  settle(status: 'done' | 'stopped' | 'failed', meta: Partial<AnswerMeta> = {}): Push[] {
    return this.#set({ status }, { position: null, etaMs: null, recovery: undefined, ...meta });
  }

  #end(event: Extract<RouterEvent, { type: 'end' }>, now: number, notice: AnswerMeta['notice']): Push[] {
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

  /** Tokens per second of generation, by the backend's own clock where it tells one. */
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
