import type { Output, ToolCall } from '../../shared/completion';
import { TandemError } from '../../shared/errors';

export type WholeCall = Pick<ToolCall, 'id' | 'name' | 'arguments'> & { index: number };

/**
 * Puts together the tool calls that a server streams in pieces, for clients that get whole calls. The limit on the
 * length of an answer bounds what is kept.
 */
export class CallPieces {
  readonly #texts = new Map<number, Omit<WholeCall, 'arguments'> & { text: string }>();

  /** The call if this event has all of it; a piece is kept until `rest`. */
  add({ index, id, name = '', arguments: given }: Extract<Output, { type: 'tool_call' }>): WholeCall[] {
    if (typeof given !== 'string') return [{ index, id, name, arguments: given }];
    const begun = this.#texts.get(index);
    if (begun) begun.text += given;
    else this.#texts.set(index, { index, id, name, text: given });
    return [];
  }

  /** The calls that came in pieces. @throws TandemError `backend_failed` if their arguments are not a JSON object */
  rest(): WholeCall[] {
    return [...this.#texts.values()].map(({ text, ...call }) => ({ ...call, arguments: parsed(text) }));
  }
}

/** Without arguments some servers send no text at all. */
function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Reported below: a model that writes bad JSON is a failure like any other.
  }
  throw new TandemError('backend_failed', 'The model wrote a tool call that cannot be read; try again.');
}
