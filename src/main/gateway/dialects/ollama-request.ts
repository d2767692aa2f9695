import type { z } from 'zod';
import type {
  BackendId,
  Category,
  ChatMessage,
  CompletionRequest,
  ModelChoice,
  Sampling,
} from '../../../shared/domain';
import { TandemError } from '../../../shared/errors';
import { type LoopTurn, nextTurn } from '../../ports/turns';
import { parseCategory, parseModelChoice } from '../model-choice';
import {
  chatBody,
  type commonBody,
  generateBody,
  messageBody,
  optionsBody,
  parse,
  toolsBody,
} from './ollama-body';

/** The content of an Ollama request's body; the rest of a `CompletionRequest` comes from headers and connection. */
export interface OllamaRequest {
  /** `model` as requested, echoed in every frame. */
  asked: string;
  stream: boolean;
  request: Pick<
    CompletionRequest,
    | 'messages'
    | 'rawPrompt'
    | 'model'
    | 'category'
    | 'sampling'
    | 'format'
    | 'tools'
    | 'think'
    | 'keepAlive'
    | 'extraOptions'
  >;
}

/** How the listener interprets `model` and `category`. */
export interface ModelRules {
  modelOptional: boolean;
  /** Category if neither model nor category gives one (or gives `default`). */
  defaultCategory: Category | undefined;
  /** Backend for requests that name no model; tried before the others. */
  firstBackend: BackendId | undefined;
  /** Backends that a model's name may name. */
  backends: readonly { id: BackendId }[];
}

/** Messages that are validated between two turns. */
const MESSAGES_A_TURN = 1_000;

/**
 * Reads the body of `/api/chat`, with a `turn` after every `MESSAGES_A_TURN` messages. An empty list of messages loads
 * the model, or unloads it with `keep_alive: 0`. Rejects with `bad_request`, `bad_model_name` or `unsupported`, or with
 * the rejection of `turn`.
 */
export async function readChat(
  body: unknown,
  rules: ModelRules,
  turn: LoopTurn = nextTurn,
): Promise<OllamaRequest> {
  const parsed = parse(chatBody, body);
  const messages: ChatMessage[] = [];
  for (const value of parsed.messages ?? []) {
    messages.push(readMessage(parse(messageBody, value, ['messages', messages.length])));
    if (messages.length % MESSAGES_A_TURN === 0) await turn();
  }
  const { tools } = parse(toolsBody, body);
  const common = readCommon(parsed, rules, body as object);
  common.request.messages = messages;
  if (tools && tools.length > 0) common.request.tools = tools;
  return common;
}

/** Reads the body of `/api/generate`; an empty prompt loads or unloads the model. Throws like `readChat` rejects. */
export function readGenerate(body: unknown, rules: ModelRules): OllamaRequest {
  const parsed = parse(generateBody, body);
  const common = readCommon(parsed, rules, body as object);
  for (const field of ['suffix', 'template', 'context'] as const) {
    if ((parsed[field]?.length ?? 0) > 0) {
      throw new TandemError(
        'unsupported',
        `${field} is not supported; send the conversation to /api/chat instead`,
      );
    }
  }
  const prompt = parsed.prompt ?? '';
  const images = parsed.images ?? [];
  if (prompt === '' && images.length === 0) return common;
  const { messages } = common.request;
  if (parsed.raw) {
    if (parsed.system) {
      throw new TandemError('bad_request', 'raw mode does not support system; put it into the prompt');
    }
    common.request.rawPrompt = prompt;
  } else if (parsed.system) {
    messages.push({ role: 'system', content: parsed.system });
  }
  messages.push({ role: 'user', content: prompt, ...(images.length > 0 ? { images } : {}) });
  return common;
}

/** @param options the raw options of the body */
function readCommon(
  body: z.output<typeof commonBody>,
  rules: ModelRules,
  { options }: { options?: object | null },
): OllamaRequest {
  if (body.logprobs) throw new TandemError('unsupported', 'logprobs are not supported; leave them out');
  const asked = body.model?.trim() ?? '';
  if (asked === '' && !rules.modelOptional) {
    throw new TandemError('bad_request', 'model is required; "auto" lets Tandem choose');
  }
  const named: ModelChoice = asked === '' ? { kind: 'auto' } : parseModelChoice(asked, rules.backends);
  const category = readCategory(body.category ?? '', named, rules);
  const model = firstOn(named, rules.firstBackend);
  const request: OllamaRequest['request'] = { messages: [], model, sampling: readSampling(body.options) };
  if (category) request.category = category;
  if (body.format !== null && body.format !== undefined && body.format !== '') request.format = body.format;
  if (body.think !== null && body.think !== undefined) request.think = body.think;
  if (body.keep_alive !== null && body.keep_alive !== undefined) {
    request.keepAlive = readKeepAlive(body.keep_alive);
  }
  const extra = readExtraOptions(options);
  if (extra) request.extraOptions = extra;
  return { asked: asked === '' ? 'auto' : asked, stream: body.stream ?? true, request };
}

function firstOn(model: ModelChoice, backend: BackendId | undefined): ModelChoice {
  return backend && model.kind === 'auto' ? { kind: 'backend', backend } : model;
}

function readCategory(text: string, model: ModelChoice, rules: ModelRules): Category | undefined {
  const plain = text === '' || text.trim().toLowerCase() === 'default';
  if (plain && model.kind === 'auto' && !model.category && rules.defaultCategory)
    return rules.defaultCategory;
  if (text !== '') return parseCategory(text);
  return model.kind === 'auto' ? model.category : undefined;
}

function readMessage(message: z.output<typeof messageBody>): ChatMessage {
  return {
    role: message.role,
    content: message.content ?? '',
    ...(message.images && message.images.length > 0 ? { images: message.images } : {}),
    ...(message.tool_calls && message.tool_calls.length > 0 ? { tool_calls: message.tool_calls } : {}),
    ...(message.tool_name ? { tool_name: message.tool_name } : {}),
  };
}

/** Ollama treats a `num_predict` of 0 or less as "no limit", so only a positive value becomes a limit. */
function readSampling(options: z.output<typeof optionsBody> | null | undefined): Sampling {
  if (!options) return {};
  const sampling: Sampling = {};
  if (typeof options.temperature === 'number') sampling.temperature = options.temperature;
  if (typeof options.top_p === 'number') sampling.topP = options.top_p;
  if (typeof options.top_k === 'number') sampling.topK = Math.trunc(options.top_k);
  if (typeof options.min_p === 'number') sampling.minP = options.min_p;
  if (typeof options.seed === 'number') sampling.seed = Math.trunc(options.seed);
  if (typeof options.repeat_penalty === 'number') sampling.repeatPenalty = options.repeat_penalty;
  if (typeof options.num_predict === 'number' && options.num_predict >= 1) {
    sampling.maxTokens = Math.trunc(options.num_predict);
  }
  if (options.stop) sampling.stop = typeof options.stop === 'string' ? [options.stop] : options.stop;
  return sampling;
}

const NEUTRAL_OPTIONS: ReadonlySet<string> = new Set(Object.keys(optionsBody.shape));

/** Ollama has about forty options; copying a list of unlimited length would take long. */
const MAX_OPTIONS = 1_000;

function readExtraOptions(options: object | null | undefined): Record<string, unknown> | undefined {
  const names = Object.keys(options ?? {});
  if (names.length > MAX_OPTIONS) {
    throw new TandemError(
      'bad_request',
      `options: over ${MAX_OPTIONS.toLocaleString('en')} fields; send fewer`,
    );
  }
  const extra = Object.entries(options ?? {}).filter(
    ([name, value]) => !NEUTRAL_OPTIONS.has(name) && value !== null,
  );
  return extra.length > 0 ? Object.fromEntries(extra) : undefined;
}

/** A number of seconds, or a duration with units in Go's syntax. */
function readKeepAlive(value: number | string): number | string {
  if (typeof value === 'number' || value === '0') return value;
  if (/^[+-]?\d+(\.\d+)?$/.test(value)) {
    throw new TandemError('bad_request', `time: missing unit in duration "${value}"; write "${value}s"`);
  }
  if (!/^[+-]?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(value)) {
    throw new TandemError(
      'bad_request',
      'keep_alive: invalid duration; write seconds as a number, or such as "5m"',
    );
  }
  return value;
}
