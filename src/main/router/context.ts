import { type ChatMessage, type CompletionRequest, type Part, textOf } from '../../shared/completion';
import type { ModelInfo } from '../../shared/domain';
import { jsonBytes, roughBytes } from '../ports/json-size';

/** UTF-8 bytes per token, deliberately low: English has about 4, Russian about 5 with two bytes a letter. */
const BYTES_PER_TOKEN = 3.6;
/** Tokens that a chat template adds to each message. */
const TOKENS_PER_MESSAGE = 5;
/** What a typical vision model uses for one picture. */
const TOKENS_PER_IMAGE = 800;
/** Reserved for the answer when the request sets no `max_tokens`. */
const DEFAULT_ANSWER_TOKENS = 512;
/** Context of the light model (phi3.5-mini-4k), used when a model's own context is unknown. */
export const LIGHT_CONTEXT = 4096;

/** Bytes are counted, which takes time, up to this many characters of a conversation; beyond it they are sampled. */
const COUNTED = 1_000_000;

/**
 * Approximate tokens of a text, without any model's tokenizer; errs on the high side where bytes are counted.
 * @param length characters of the whole that the text is a part of
 */
export function approximateTokens(text: string, length = text.length): number {
  return Math.ceil((length > COUNTED ? roughBytes(text) : Buffer.byteLength(text)) / BYTES_PER_TOKEN);
}

/** Token counts of a request's messages, cached because they are needed several times. */
const known = new WeakMap<readonly ChatMessage[], { each: Float64Array; sum: number }>();

function measure(messages: readonly ChatMessage[]) {
  const before = known.get(messages);
  if (before?.each.length === messages.length) return before;
  const length = messages.reduce((sum, message) => sum + textOf(message).length, 0);
  const each = Float64Array.from(messages, (message) => countTokens(message, length));
  const measured = { each, sum: each.reduce((sum, tokens) => sum + tokens, 0) };
  known.set(messages, measured);
  return measured;
}

function countTokens(message: ChatMessage, length: number): number {
  const { content } = message;
  const parts =
    typeof content === 'string' ? approximateTokens(content, length) : partTokens(content, length);
  return parts + TOKENS_PER_MESSAGE;
}

function partTokens(parts: readonly Part[], length: number): number {
  let tokens = 0;
  for (const part of parts) {
    if (part.type === 'image') tokens += TOKENS_PER_IMAGE;
    else if (part.type === 'tool_call') tokens += valueTokens(part);
    else if (part.type === 'tool_result') tokens += partTokens(part.content, length);
    else tokens += approximateTokens(part.text, length);
  }
  return tokens;
}

function valueTokens(value: object | undefined): number {
  return value === undefined ? 0 : Math.ceil(jsonBytes(value) / BYTES_PER_TOKEN);
}

/** The same for a request's tools. */
const knownTools = new WeakMap<object, number>();

function toolTokens(tools: object | undefined): number {
  if (tools === undefined) return 0;
  const before = knownTools.get(tools);
  if (before !== undefined) return before;
  const tokens = valueTokens(tools);
  knownTools.set(tools, tokens);
  return tokens;
}

/** Tokens that prompt and answer of a request to this model may take together; null = unknown. */
export function contextOf({
  pinnedContext,
  contextLength,
}: Pick<ModelInfo, 'pinnedContext' | 'contextLength'>): number | null {
  return pinnedContext ?? contextLength;
}

type Sized = Pick<CompletionRequest, 'messages' | 'rawPrompt' | 'sampling' | 'tools'>;

/** Approximate tokens of the whole prompt. */
export function promptTokens(request: Omit<Sized, 'sampling'>): number {
  const tools = toolTokens(request.tools);
  if (request.rawPrompt !== undefined) return approximateTokens(request.rawPrompt) + tools;
  return measure(request.messages).sum + tools;
}

/** Tokens that prompt and answer need together. */
export function neededTokens(request: Sized): number {
  return promptTokens(request) + (request.sampling.maxTokens ?? DEFAULT_ANSWER_TOKENS);
}

/** The same if all turns but the last one may be left out. */
export function leastTokens(request: Sized): number {
  return neededTokens({ ...request, messages: fitToContext(request, 0).messages });
}

export interface FittedMessages {
  messages: ChatMessage[];
  /** Number of turns left out; a turn is a user message and what followed it. */
  droppedTurns: number;
}

/**
 * Leaves out the oldest turns until prompt and answer fit a context of `contextLength` tokens (null = unknown: keeps
 * all). System messages and the last turn always stay, so a single message that is too long is never cut.
 */
export function fitToContext(request: Sized, contextLength: number | null): FittedMessages {
  const { messages } = request;
  let needed = neededTokens(request);
  if (contextLength === null || needed <= contextLength) return { messages: [...messages], droppedTurns: 0 };
  const lastUser = messages.findLastIndex((message) => message.role === 'user');
  const dropped = new Set<number>();
  let droppedTurns = 0;
  for (let index = 0; index < lastUser; index += 1) {
    const message = messages[index];
    if (!message || message.role === 'system') continue;
    if (message.role === 'user') {
      if (needed <= contextLength) break;
      droppedTurns += 1;
    } else if (droppedTurns === 0 && needed <= contextLength) break;
    dropped.add(index);
    needed -= measure(messages).each[index] ?? 0;
  }
  return { messages: messages.filter((_, index) => !dropped.has(index)), droppedTurns };
}
