import type { Answer, AnswerMeta } from '../../shared/chat';
import type { Push } from '../../shared/contract';
import type { CompletionEnd } from '../../shared/domain';
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

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  get answer(): Answer {
    return this.#answer;
  }

  /** Applies one event; returns the pushes it causes. `now` is monotonic ms. */
  apply(event: RouterEvent, now: number): Push[] {
    switch (event.type) {
      case 'routed':
        return this.meta({ category: event.category, reasons: event.reasons });
      case 'waiting':
        return this.meta({
          source: event.backend,
          model: event.model,
          position: event.position,
          etaMs: event.etaMs,
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
        return this.text(event.text);
      case 'break':
        return this.meta({
          breaks: [
            ...this.#answer.meta.breaks,
            { at: this.#answer.text.length, from: event.from, to: event.to, reason: event.reason },
          ],
        });
      case 'end':
        return this.#end(event, now);
      case 'prefill':
      case 'thinking':
      case 'tool_calls':
        return [];
      default:
        return event satisfies never;
    }
  }

  /** Appends text. */
  text(text: string): Push[] {
    const offset = this.#answer.text.length;
    this.#answer = { ...this.#answer, text: this.#answer.text + text };
    return [
      {
        name: 'answerText',
        payload: { answerId: this.#answer.id, chatId: this.#answer.chatId, offset, text },
      },
    ];
  }

  meta(meta: Partial<AnswerMeta>): Push[] {
    return this.#set({}, meta);
  }

  /** Ends the answer in a state; what arrived stays. */
  settle(status: 'done' | 'stopped' | 'failed', meta: Partial<AnswerMeta> = {}): Push[] {
    return this.#set({ status }, { position: null, etaMs: null, ...meta });
  }

  #end(event: Extract<RouterEvent, { type: 'end' }>, now: number): Push[] {
    const { end } = event;
    return this.settle('done', {
      source: event.backend,
      model: event.model,
      reasons: event.reasons,
      promptTokens: end.promptTokens,
      completionTokens: end.completionTokens,
      tokensPerSecond: this.#speed(end, now),
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
