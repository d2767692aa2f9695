import type { CompletionEnd, Output } from '../../../shared/completion';
import type { TandemError } from '../../../shared/errors';
import { CallPieces, type WholeCall } from '../call-pieces';
import { type Encoder, type Finish, isLoad } from '../encoder';

/** Milliseconds to nanoseconds, the unit of all durations in Ollama's dialect. */
const ns = (ms: number): number => Math.max(0, Math.round(ms * 1e6));

const MORE = { done: false };

/** The two endpoints put the text in different fields. */
export type OllamaShape = 'chat' | 'generate';

/**
 * Writes Ollama's frames: one JSON object per line, the last with `done: true`, counts, durations, and the trail under
 * `tandem`. An error line has no `done`, so a partial answer never looks complete. A tool call that its server streams
 * in pieces comes as a whole at the end.
 */
export function ollamaEncoder(shape: OllamaShape, asked: string, wall: () => Date): Encoder {
  const head = () => ({ model: asked, created_at: wall().toISOString() });

  const output = (text: string, thinking: string, calls: readonly WholeCall[] = []): object => {
    const said: Record<string, unknown> =
      shape === 'chat' ? { role: 'assistant', content: text } : { response: text };
    if (thinking !== '') said.thinking = thinking;
    if (shape === 'generate') return said;
    if (calls.length > 0) said.tool_calls = calls.map(toCall);
    return { message: said };
  };
  const line = (said: object, rest: object) => `${JSON.stringify({ ...head(), ...said, ...rest })}\n`;

  const pieces = new CallPieces();
  const callFrame = (calls: readonly WholeCall[]) =>
    calls.length === 0 ? '' : line(output('', '', calls), MORE);
  const frame = (event: Output): string => {
    if (event.type === 'text') return line(output(event.text, ''), MORE);
    return event.type === 'thinking' ? line(output('', event.text), MORE) : callFrame(pieces.add(event));
  };

  return {
    streamType: 'application/x-ndjson',
    frame,
    last: (finish) => callFrame(pieces.rest()) + line(output('', ''), closing(finish)),
    whole: ({ text, thinking, toolCalls }, finish) => ({
      ...head(),
      ...output(text, thinking, toolCalls),
      ...closing(finish),
    }),
    errorFrame: (error) => `${JSON.stringify(ollamaError(error))}\n`,
  };
}

function toCall({ id, index, name, arguments: given }: WholeCall): object {
  return { id, function: { index, name, arguments: given } };
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
