import type { CompletionEnd } from '../../../shared/domain';
import type { TandemError } from '../../../shared/errors';
import { type CollectedAnswer, type Encoder, type Finish, isLoad, type Visible } from '../encoder';

/** Milliseconds to nanoseconds, the unit of all durations in Ollama's dialect. */
const ns = (ms: number): number => Math.max(0, Math.round(ms * 1e6));

/** The two endpoints put the text in different fields. */
export type OllamaShape = 'chat' | 'generate';

/**
 * Writes Ollama's frames: one JSON object per line, the last with `done: true`, counts, durations, and the trail under
 * `tandem`. An error line has no `done`, so a partial answer never looks complete.
 */
export function ollamaEncoder(shape: OllamaShape, asked: string, wall: () => Date): Encoder {
  const head = () => ({ model: asked, created_at: wall().toISOString() });

  const visible = (event: Visible): object => {
    if (shape === 'generate') {
      return event.type === 'thinking'
        ? { response: '', thinking: event.text }
        : { response: event.type === 'text' ? event.text : '' };
    }
    const message = { role: 'assistant', content: event.type === 'text' ? event.text : '' };
    if (event.type === 'thinking') return { message: { ...message, thinking: event.text } };
    return event.type === 'tool_calls' ? { message: { ...message, tool_calls: event.calls } } : { message };
  };

  const whole = (answer: CollectedAnswer): object => {
    const thinking = answer.thinking === '' ? {} : { thinking: answer.thinking };
    if (shape === 'generate') return { response: answer.text, ...thinking };
    const calls = answer.toolCalls.length === 0 ? {} : { tool_calls: answer.toolCalls };
    return { message: { role: 'assistant', content: answer.text, ...thinking, ...calls } };
  };

  return {
    streamType: 'application/x-ndjson',
    frame: (event) => `${JSON.stringify({ ...head(), ...visible(event), done: false })}\n`,
    last: (finish) =>
      `${JSON.stringify({ ...head(), ...visible({ type: 'text', text: '' }), ...closing(finish) })}\n`,
    whole: (answer, finish) => ({ ...head(), ...whole(answer), ...closing(finish) }),
    errorFrame: (error) => `${JSON.stringify(ollamaError(error))}\n`,
  };
}

/** Ollama's error shape, with our code added. */
export function ollamaError(error: TandemError): { error: string; code: string } {
  return { error: error.message, code: error.code };
}

function closing(finish: Finish): object {
  const { end, trail } = finish;
  const tandem = {
    request_id: finish.requestId,
    backend: trail.backend,
    model: trail.model,
    category: trail.category,
    queue_ms: trail.queueMs === null ? null : Math.round(trail.queueMs),
    reasons: trail.reasons,
    ...(trail.breaks.length > 0 ? { breaks: trail.breaks } : {}),
  };
  const done = { done: true, done_reason: doneReason(end) };
  return isLoad(end) ? { ...done, tandem } : { ...done, ...figures(finish), tandem };
}

/** For a backend that does not report durations, they are measured here: up to its first token, then the rest. */
function figures({ end, totalMs, trail, visibleMs }: Finish): object {
  return {
    total_duration: ns(totalMs),
    load_duration: ns(end.loadMs ?? 0),
    prompt_eval_count: end.promptTokens,
    prompt_eval_duration: ns(end.promptMs ?? trail.ttftMs ?? 0),
    eval_count: end.completionTokens,
    eval_duration: ns(end.evalMs ?? visibleMs),
  };
}

/** Ollama has no `done_reason` for an answer that ends in tool calls. */
function doneReason(end: CompletionEnd): string {
  return end.reason === 'tool_calls' ? 'stop' : end.reason;
}
