import type { z } from 'zod';
import type { ChatMessage, Extra, ImagePart, Part, Tool, ToolCall } from '../../../shared/completion';
import type { Pace } from '../../ports/turns';
import { callBody, fieldsOf, messageBody, type Path, parse, toolBody, unknownFields } from './ollama-body';

/** Calls `read` for each item. */
async function each<V, T>(
  values: readonly V[],
  at: Path,
  pace: Pace,
  read: (value: V, at: Path) => T | Promise<T>,
): Promise<T[]> {
  const items: T[] = [];
  for (const value of values) {
    const item = read(value, [...at, items.length]);
    items.push(item instanceof Promise ? await item : item);
    const turn = pace();
    if (turn) await turn;
  }
  return items;
}

/**
 * Rejects with `bad_request`, or with the rejection of `pace`.
 * @param pace counts messages, images and calls
 */
export function readMessages(values: readonly unknown[], pace: Pace): Promise<ChatMessage[]> {
  return each(values, ['messages'], pace, (value, at) => {
    const message = parse(messageBody, value, at);
    const extra = extraOf(value as object, message, at);
    const hasLists = message.images?.length || message.tool_calls?.length;
    return hasLists ? readLists(message, extra, at, pace) : toMessage(message, [], [], extra);
  });
}

async function readLists(
  message: Body,
  extra: Extra | undefined,
  at: Path,
  pace: Pace,
): Promise<ChatMessage> {
  const images = await each(message.images ?? [], [...at, 'images'], pace, imagePart);
  const calls = await each(message.tool_calls ?? [], [...at, 'tool_calls'], pace, readCall);
  return toMessage(message, images, calls, extra);
}

/** Rejects like `readMessages`. */
export function readTools(values: readonly unknown[], pace: Pace): Promise<Tool[]> {
  return each(values, ['tools'], pace, readTool);
}

type Body = z.output<typeof messageBody>;

const MESSAGE_FIELDS = fieldsOf(messageBody);

/** Name and id of a tool have a place in the form only in a tool's result. */
function extraOf(value: object, { role, tool_name, tool_call_id }: Body, at: Path): Extra | undefined {
  const extra = unknownFields(value, MESSAGE_FIELDS, at);
  return role === 'tool' || !(tool_name || tool_call_id) ? extra : { ...extra, tool_name, tool_call_id };
}

function toMessage(
  message: Body,
  images: readonly ImagePart[],
  calls: readonly ToolCall[],
  extra: Extra | undefined,
): ChatMessage {
  const { role, content, thinking, tool_name, tool_call_id } = message;
  const isText = role !== 'tool' && !thinking && images.length === 0 && calls.length === 0;
  if (isText) return { role, content: content ?? '', extra };
  const shown = contentOf(content, images);
  const id = tool_call_id || undefined;
  const result: Part = { type: 'tool_result', id, name: tool_name || undefined, content: shown };
  const thought: Part[] = thinking ? [{ type: 'thinking', text: thinking }] : [];
  return { role, content: [...thought, ...(role === 'tool' ? [result] : shown), ...calls], extra };
}

/** Images, then the text. */
export function contentOf(text: string | null | undefined, images: readonly ImagePart[]) {
  return [...images, ...(text ? [{ type: 'text', text } as const] : [])];
}

export function imagePart(data: string): ImagePart {
  return { type: 'image', data };
}

const CALL_FIELDS = fieldsOf(callBody);
const CALLED_FIELDS = fieldsOf(callBody.shape.function);

function readCall(value: unknown, at: Path): ToolCall {
  const { id, function: called } = parse(callBody, value, at);
  const extra = nestedExtra(value as { function: object }, CALL_FIELDS, CALLED_FIELDS, at);
  const given = called.arguments ?? {};
  return { type: 'tool_call', id: id || undefined, name: called.name, arguments: given, extra };
}

const TOOL_FIELDS = fieldsOf(toolBody);
const DESCRIBED_FIELDS = fieldsOf(toolBody.shape.function);

function readTool(value: unknown, at: Path): Tool {
  const { name, description, parameters } = parse(toolBody, value, at).function;
  const extra = nestedExtra(value as { function: object }, TOOL_FIELDS, DESCRIBED_FIELDS, at);
  return { name, description: description ?? undefined, parameters: parameters ?? undefined, extra };
}

/** The unknown fields of an object and of the function in it. */
function nestedExtra(
  value: { function: object },
  outer: ReadonlySet<string>,
  inner: ReadonlySet<string>,
  at: Path,
): Extra | undefined {
  const fields = unknownFields(value, outer, at);
  const called = unknownFields(value.function, inner, at);
  return called ? { ...fields, function: called } : fields;
}
