import type { BackendId, Category, ModelChoice, Priority } from './domain';

/** The neutral form of a request and of the events of its answer, for all dialects and servers. See README.md. */

/** Dialects of clients and of servers. */
export type Dialect = 'ollama' | 'openai' | 'anthropic';

/** Fields of the client's dialect that the form lacks, as they came, nested as there. */
export type Extra = Record<string, unknown>;

export type Role = 'system' | 'user' | 'assistant' | 'tool';

export interface ChatMessage {
  role: Role;
  /** A text alone is a plain string. Images come before the text, tool calls after it. */
  content: string | Part[];
  extra?: Extra;
}

export type Part = TextPart | ImagePart | ThinkingPart | ToolCall | ToolResult;

export interface TextPart {
  type: 'text';
  text: string;
}

export interface ImagePart {
  type: 'image';
  /** Base64; never an address. */
  data: string;
}

export interface ThinkingPart {
  type: 'thinking';
  text: string;
}

export interface ToolCall {
  type: 'tool_call';
  /** Absent in dialects without ids. */
  id?: string;
  name: string;
  arguments: Record<string, unknown>;
  extra?: Extra;
}

/** Only in messages of the role `tool`, which have exactly one. */
export interface ToolResult {
  type: 'tool_result';
  /** Id and name of the call that it answers, as far as the dialect has them. */
  id?: string;
  name?: string;
  content: (TextPart | ImagePart)[];
}

export interface Tool {
  name: string;
  description?: string;
  /** JSON schema of the arguments. */
  parameters?: Record<string, unknown>;
  extra?: Extra;
}

export type ToolChoice = 'auto' | 'none' | 'required' | { name: string };

export type ResponseFormat = { type: 'json' } | { type: 'schema'; schema: Record<string, unknown> };

/** Sampling parameters; absent = the backend's default. */
export interface Sampling {
  temperature?: number;
  topP?: number;
  topK?: number;
  minP?: number;
  seed?: number;
  repeatPenalty?: number;
  /** Maximum number of generated tokens. */
  maxTokens?: number;
  stop?: string[];
}

/** What a model gets, from a client through the dispatcher to a server. */
export interface ModelInput {
  messages: ChatMessage[];
  /** Set if the client wants no chat template (`raw`): the model gets the text unchanged. */
  rawPrompt?: string;
  sampling: Sampling;
  /** Absent = free text. */
  format?: ResponseFormat;
  tools?: Tool[];
  /** Absent = `auto`. */
  toolChoice?: ToolChoice;
  think?: boolean | string;
  keepAlive?: string | number;
  /** Tokens of context that the client asks for (`num_ctx`). */
  contextTokens?: number;
  /** Dialect of all `extra` fields: only a server of the same dialect gets them. Absent = there are none. */
  dialect?: Dialect;
  extra?: Extra;
}

/** One request as the router sees it, in any dialect. */
export interface CompletionRequest extends ModelInput {
  /** Unique; also `X-Request-Id`. */
  id: string;
  model: ModelChoice;
  /** Explicit category (the dialect's `category` field). */
  category?: Category;
  priority: Priority;
  /** Stable name of the client, for rate limit and fairness; `ui` is the app itself. */
  client: string;
  /** The rate limit counts it; absent = it does not. */
  rateLimited?: boolean;
  /** No fallback: 503 instead. */
  strict: boolean;
  /** The client gets only the complete answer: one that breaks off can restart on another server, unnoticed. */
  whole?: boolean;
  /** Backends that must not be used. */
  exclude?: BackendId[];
  /** The memory guard admits this request: the user saw its refusal and chose to try anyway. */
  overruleMemory?: boolean;
  /** Instances of Tandem that it has passed through, as in the hop header. */
  hops?: string;
  /** The oldest turns may be left out if the conversation does not fit the model's context. */
  mayLeaveOut?: boolean;
  /** Name of the API surface, for the journal. */
  origin: 'chat' | 'gateway' | 'mlx-api';
}

/** A piece of an answer's output. */
export type Output =
  | { type: 'text'; text: string }
  | { type: 'thinking'; text: string }
  | {
      type: 'tool_call';
      /** Number of the call within the answer, from 0. */
      index: number;
      id?: string;
      /** Absent in later pieces of a call. */
      name?: string;
      /** All arguments, or a piece of their JSON text, to be appended to earlier pieces of this index. */
      arguments: string | Record<string, unknown>;
    };

/** The items of a backend's stream. A stream that ends without `end` has failed. */
export type CompletionChunk =
  | Output
  /** Prompt evaluation: `done` of `total` tokens. */
  | { type: 'prefill'; done: number; total: number }
  | { type: 'end'; end: CompletionEnd };

export interface CompletionEnd {
  reason: 'stop' | 'length' | 'tool_calls' | 'load' | 'unload';
  promptTokens: number;
  /** Part of `promptTokens` that the backend had in its cache; absent if it does not report it. */
  cachedTokens?: number;
  completionTokens: number;
  /** Milliseconds, if the backend reports them. */
  loadMs?: number;
  promptMs?: number;
  evalMs?: number;
}

/** The text of a message or a tool result, without thinking, images and calls. */
export function textOf({ content }: Pick<ChatMessage | ToolResult, 'content'>): string {
  if (typeof content === 'string') return content;
  let text = '';
  for (const part of content) {
    if (part.type === 'text') text += part.text;
    else if (part.type === 'tool_result') text += textOf(part);
  }
  return text;
}

/** Does a message or a tool result have an image? Costs nothing for a long list of them. */
export function hasImage({ content }: Pick<ChatMessage | ToolResult, 'content'>): boolean {
  if (typeof content === 'string') return false;
  return content.some((part) => part.type === 'image' || (part.type === 'tool_result' && hasImage(part)));
}

/** The images of a message or a tool result, in Base64. */
export function imagesOf({ content }: Pick<ChatMessage | ToolResult, 'content'>): string[] {
  const images: string[] = [];
  if (typeof content === 'string') return images;
  for (const part of content) {
    if (part.type === 'image') images.push(part.data);
    else if (part.type === 'tool_result') for (const image of imagesOf(part)) images.push(image);
  }
  return images;
}
