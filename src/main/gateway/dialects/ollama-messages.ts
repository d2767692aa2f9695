import type { z } from 'zod';
import type { ChatMessage, Extra, Part, Tool, ToolCall } from '../../../shared/completion';
import type { LoopTurn } from '../../ports/turns';
import { callBody, fieldsOf, messageBody, type Path, parse, toolBody, unknownFields } from './ollama-body';

/** Messages, calls and tools that are validated between two turns. */
const ITEMS_A_TURN = 1_000;

/** Calls `read` for each item, with a `turn` after every `ITEMS_A_TURN`. */
async function each<T>(
  values: readonly unknown[],
  at: Path,
  turn: LoopTurn,
  read: (value: unknown, at: Path) => T | Promise<T>,
): Promise<T[]> {
  const items: T[] = [];
  for (const value of values) {
    const item = read(value, [...at, items.length]);
    items.push(item instanceof Promise ? await item : item);
    if (items.length % ITEMS_A_TURN === 0) await turn();
  }
  return items;
}

/** Rejects with `bad_request`, or with the rejection of `turn`. */
export function readMessages(values: readonly unknown[], turn: LoopTurn): Promise<ChatMessage[]> {
  return each(values, ['messages'], turn, (value, at) => {
    const message = parse(messageBody, value, at);
    const extra = extraOf(value as object, message, at);
    if (!message.tool_calls?.length) return toMessage(message, [], extra);
    const calls = each(message.tool_calls, [...at, 'tool_calls'], turn, readCall);
    return calls.then((all) => toMessage(message, all, extra));
  });
}

/** Rejects like `readMessages`. */
export function readTools(values: readonly unknown[], turn: LoopTurn): Promise<Tool[]> {
  return each(values, ['tools'], turn, readTool);
}

type Body = z.output<typeof messageBody>;

const MESSAGE_FIELDS = fieldsOf(messageBody);

/** Name and id of a tool have a place in the form only in a tool's result. */
function extraOf(value: object, { role, tool_name, tool_call_id }: Body, at: Path): Extra | undefined {
  const extra = unknownFields(value, MESSAGE_FIELDS, at);
  return role === 'tool' || !(tool_name || tool_call_id) ? extra : { ...extra, tool_name, tool_call_id };
}

/** @param calls its tool calls */
function toMessage(message: Body, calls: readonly ToolCall[], extra: Extra | undefined): ChatMessage {
  const { role, content, thinking, images, tool_name, tool_call_id } = message;
  const isText = role !== 'tool' && !thinking && !images?.length && calls.length === 0;
  if (isText) return { role, content: content ?? '', extra };
  const shown = contentOf(content, images);
  const id = tool_call_id || undefined;
  const result: Part = { type: 'tool_result', id, name: tool_name || undefined, content: shown };
  const thought: Part[] = thinking ? [{ type: 'thinking', text: thinking }] : [];
  return { role, content: [...thought, ...(role === 'tool' ? [result] : shown), ...calls], extra };
}

/** Images, then the text. */
export function contentOf(text: string | null | undefined, images: readonly string[] | null | undefined) {
  return [
    ...(images ?? []).map((data) => ({ type: 'image', data }) as const),
    ...(text ? [{ type: 'text', text } as const] : []),
  ];
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
