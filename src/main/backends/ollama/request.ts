import {
  type ChatMessage,
  type Extra,
  imagesOf,
  type ResponseFormat,
  type ToolCall,
  type ToolResult,
  textOf,
} from '../../../shared/completion';
import { TandemError } from '../../../shared/errors';
import { jsonBytes } from '../../ports/json-size';
import type { BackendRequest } from '../backend';

export interface OllamaCall {
  path: '/api/chat' | '/api/generate';
  body: Record<string, unknown>;
  /** See `BackendRequest`. */
  hops?: string | undefined;
}

/**
 * Writes a request in Ollama's dialect; a client of this dialect also reaches the server with the fields that the form
 * lacks.
 * @param ours the server is ours: its models are loaded as our requests say
 * @throws TandemError `bad_request` for options that Ollama silently accepts but treats differently, `unsupported` for
 * a choice of tools, which it does not know
 */
export function toOllamaCall(request: BackendRequest, ours = false): OllamaCall {
  const { rawPrompt, think, keepAlive, hops } = request;
  const isOurs = request.dialect === 'ollama';
  const { options: extraOptions, ...extra } = isOurs ? (request.extra ?? {}) : {};
  const options = toOptions(request, (extraOptions ?? {}) as Extra);
  const common = {
    ...extra,
    // By default the server silently cuts a prompt that does not fit, and forgets the start of one during its answer.
    truncate: false,
    // From 0.34 on another value loads the model again, so it is constant, and not sent to somebody else's server.
    ...(ours ? { shift: false } : {}),
    model: request.model,
    stream: true,
    ...(Object.keys(options).length === 0 ? {} : { options }),
    ...(request.format === undefined ? {} : { format: toFormat(request.format) }),
    ...(think === undefined ? {} : { think }),
    ...(keepAlive === undefined ? {} : { keep_alive: keepAlive }),
  };
  if (rawPrompt !== undefined)
    return { path: '/api/generate', body: { ...common, prompt: rawPrompt, raw: true }, hops };
  const messages = request.messages.map((message) => toMessage(message, isOurs));
  const tools = toTools(request, isOurs);
  return { path: '/api/chat', body: { ...common, messages, ...(tools ? { tools } : {}) }, hops };
}

function toFormat(format: ResponseFormat): unknown {
  return format.type === 'json' ? 'json' : format.schema;
}

/** Most messages are a text alone, which has the same form here. */
function toMessage(message: ChatMessage, isOurs: boolean): object {
  const { role, content } = message;
  if (typeof content === 'string' && message.extra === undefined) return message;
  const calls: object[] = [];
  let thinking = '';
  let result: ToolResult | undefined;
  for (const part of typeof content === 'string' ? [] : content) {
    if (part.type === 'tool_call') calls.push(toCall(part, isOurs));
    else if (part.type === 'thinking') thinking += part.text;
    else if (part.type === 'tool_result') result = part;
  }
  const images = imagesOf(message);
  return {
    tool_call_id: result?.id,
    tool_name: result?.name,
    ...(isOurs ? message.extra : {}),
    role,
    content: textOf(message),
    thinking: thinking || undefined,
    images: images.length > 0 ? images : undefined,
    tool_calls: calls.length > 0 ? calls : undefined,
  };
}

function toCall({ id, name, arguments: given, extra }: ToolCall, isOurs: boolean): object {
  const more = isOurs ? (extra ?? {}) : {};
  const called = { ...(more.function as object | undefined), name, arguments: given };
  return { ...more, id, function: called };
}

function toTools({ tools, toolChoice = 'auto' }: BackendRequest, isOurs: boolean): object[] | undefined {
  if (toolChoice === 'none') return undefined;
  if (toolChoice !== 'auto') {
    const cure = 'Ollama cannot be made to call a tool; leave the choice to the model.';
    throw new TandemError('unsupported', cure, { details: { field: 'tool_choice' } });
  }
  return tools?.map(({ name, description, parameters, extra }) => {
    const more = isOurs ? (extra ?? {}) : {};
    const called = { ...(more.function as object | undefined), name, description, parameters };
    return { type: 'function', ...more, function: called };
  });
}

/** Lowest number of characters per token, in languages with long and with short words. */
const CHARS_PER_TOKEN = 3;

/** Prompt tokens of a request, estimated from its length. */
export function promptTokensByLength({ rawPrompt, messages, tools }: BackendRequest): number {
  const text = rawPrompt?.length ?? messages.reduce((sum, message) => sum + textOf(message).length, 0);
  return Math.ceil((text + (tools ? jsonBytes(tools) : 0)) / CHARS_PER_TOKEN);
}

/** The pinned context is always sent, as any other length would load the model again. */
function toOptions({ sampling, pinnedContext, contextTokens }: BackendRequest, extra: Extra): Extra {
  const { temperature, topP, topK, minP, seed, repeatPenalty, maxTokens, stop } = sampling;
  const named = {
    num_ctx: pinnedContext ?? contextTokens,
    temperature,
    top_p: topP,
    top_k: topK,
    min_p: minP,
    seed,
    repeat_penalty: repeatPenalty,
    // 0 and below mean ten times the context to Ollama.
    num_predict: maxTokens !== undefined && maxTokens >= 1 ? maxTokens : undefined,
    stop,
  };
  const options = { ...extra };
  delete options.num_predict;
  for (const [name, value] of Object.entries(named)) if (value !== undefined) options[name] = value;
  return options;
}
