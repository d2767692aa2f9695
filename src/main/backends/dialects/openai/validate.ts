import { type ChatMessage, hasImage, type Role, type Sampling, textOf } from '../../../../shared/completion';
import { TandemError } from '../../../../shared/errors';
import type { BackendRequest } from '../../backend';

/** Facts from a model's `config.json`; null = not given. */
export interface ModelFacts {
  vocabSize: number | null;
  contextLength: number | null;
}

/** A request that mlx_lm.server is known to survive. */
export interface SafeRequest {
  messages: { role: Role; content: string }[];
  rawPrompt: string | null;
  sampling: Omit<Sampling, 'maxTokens'> & { maxTokens: number };
  think: boolean | null;
}

/** Answers without their own limit end here (the server's default of 512 cuts answers short). */
const DEFAULT_MAX_TOKENS = 4096;
/** Used when the vocabulary is unknown: smaller than that of any real model. */
const UNKNOWN_VOCABULARY = 1024;
/** Any character except blanks, control characters and marks without width. */
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;
/** No tokenizer averages more characters per token than this over a long text. */
const MAX_CHARS_PER_TOKEN = 24;

/**
 * Keeps requests from mlx_lm.server 0.32.2 that would kill its generation thread or its process, or make it answer with
 * nothing: any client could take the server down for all others. Values out of range are rejected with the field's
 * name; `topK` and `maxTokens` are lowered to the model's limits. Fields that `SafeRequest` lacks (`logit_bias`,
 * `xtc_threshold`, message parts with addresses …) are never sent.
 *
 * @throws TandemError `bad_request` or `unsupported`
 */
export function validate(request: BackendRequest, facts: ModelFacts): SafeRequest {
  if (request.tools?.length) throw unsupported('tools');
  if (request.format !== undefined) throw unsupported('format');
  const rawPrompt = request.rawPrompt === undefined ? null : safePrompt(request.rawPrompt);
  const messages = rawPrompt === null ? request.messages.map(safeMessage) : [];
  limitLength(rawPrompt?.length ?? messages.reduce((sum, { content }) => sum + content.length, 0), facts);
  return {
    messages,
    rawPrompt,
    sampling: safeSampling(request.sampling, facts),
    think: typeof request.think === 'boolean' ? request.think : null,
  };
}

/** One call of mlx_lm.server's OpenAI dialect. */
export interface MlxCall {
  path: '/v1/chat/completions' | '/v1/completions';
  body: Record<string, unknown>;
}

/**
 * @param model path of the model's folder; always sent, because a call without it counts as another model and drains
 * the batch
 */
export function toMlxCall(request: SafeRequest, model: string): MlxCall {
  const { temperature, topP, topK, minP, seed, repeatPenalty, stop, maxTokens } = request.sampling;
  const body: Record<string, unknown> = {
    model,
    max_tokens: maxTokens,
    // Only streams can be cancelled.
    stream: true,
    stream_options: { include_usage: true },
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(topK === undefined ? {} : { top_k: topK }),
    ...(minP === undefined ? {} : { min_p: minP }),
    ...(seed === undefined ? {} : { seed }),
    // 1 means no penalty but costs a pass over the logits.
    ...(repeatPenalty === undefined || repeatPenalty === 1 ? {} : { repetition_penalty: repeatPenalty }),
    ...(stop === undefined ? {} : { stop }),
    ...(request.think === null ? {} : { chat_template_kwargs: { enable_thinking: request.think } }),
  };
  return request.rawPrompt === null
    ? { path: '/v1/chat/completions', body: { ...body, messages: request.messages } }
    : { path: '/v1/completions', body: { ...body, prompt: request.rawPrompt } };
}

/** Has the request no prompt, so that it only loads its model? */
export function isLoadOnly({ rawPrompt, messages }: BackendRequest): boolean {
  return rawPrompt === undefined && messages.length === 0;
}

/** The shortest possible request: it loads the model and proves that it answers. */
export function oneToken(request: Pick<BackendRequest, 'model'>): BackendRequest {
  return {
    id: 'probe',
    model: request.model,
    messages: [{ role: 'user', content: 'hi' }],
    sampling: { maxTokens: 1, temperature: 0 },
  };
}

function safeSampling(sampling: Sampling, facts: ModelFacts): SafeRequest['sampling'] {
  const { temperature, topP, topK, minP, seed, repeatPenalty, stop } = sampling;
  return {
    ...optional('temperature', inRange('temperature', temperature, 0, 100)),
    ...optional('topP', inRange('top_p', topP, 0, 1)),
    ...optional('topK', safeTopK(topK, facts)),
    ...optional('minP', inRange('min_p', minP, 0, 1)),
    // -1 means a random seed in Ollama's dialect.
    ...optional('seed', seed === -1 ? undefined : integer('seed', seed, 0)),
    ...optional('repeatPenalty', inRange('repeat_penalty', repeatPenalty, 0, 100)),
    ...optional('stop', safeStop(stop)),
    maxTokens: safeMaxTokens(sampling.maxTokens, facts),
  };
}

/** A `top_k` of the vocabulary's size or more ends the generation thread; below 1 there is no limit, as in Ollama. */
function safeTopK(value: unknown, facts: ModelFacts): number | undefined {
  const topK = integer('top_k', value, Number.MIN_SAFE_INTEGER);
  const most = (facts.vocabSize ?? UNKNOWN_VOCABULARY) - 1;
  return topK === undefined ? undefined : Math.max(0, Math.min(topK, most));
}

/** Below 1 means "no limit" in Ollama's dialect. */
function safeMaxTokens(value: unknown, facts: ModelFacts): number {
  const most = facts.contextLength ?? DEFAULT_MAX_TOKENS;
  const asked = integer('max_tokens', value, Number.MIN_SAFE_INTEGER);
  return asked === undefined || asked < 1 ? Math.min(most, DEFAULT_MAX_TOKENS) : Math.min(asked, most);
}

/** Numbers, booleans and nulls as stop words end the generation thread; empty ones have no meaning. */
function safeStop(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || value.length > 64 || value.some((word) => typeof word !== 'string')) {
    throw bad('stop', 'must be a list of at most 64 texts');
  }
  const words = value.filter((word) => word !== '').map((word) => word.toWellFormed());
  return words.length > 0 ? words : undefined;
}

/** A prompt without tokens, or a list of prompts, ends the generation thread; tokenizers drop blanks and controls. */
function safePrompt(value: unknown): string {
  if (typeof value !== 'string' || !VISIBLE.test(value))
    throw bad('prompt', 'must be a text that shows something');
  return value.toWellFormed();
}

/** Calls and thinking are left out: the server's templates differ in what they do with them. */
function safeMessage(message: ChatMessage, index: number): SafeRequest['messages'][number] {
  if (typeof message.content !== 'string' && !Array.isArray(message.content))
    throw bad(`messages[${index}].content`, 'must be a text');
  // The server would download an image's address itself.
  if (hasImage(message)) throw unsupported('images');
  if (!['system', 'user', 'assistant', 'tool'].includes(message.role)) {
    throw bad(`messages[${index}].role`, 'must be system, user, assistant or tool');
  }
  return { role: message.role, content: textOf(message).toWellFormed() };
}

/** The server checks no length: it tokenizes megabytes and blocks all requests meanwhile. */
function limitLength(characters: number, { contextLength }: ModelFacts): void {
  if (contextLength !== null && characters > contextLength * MAX_CHARS_PER_TOKEN) {
    throw bad(
      'messages',
      `cannot fit into this model's ${contextLength} tokens; send less, or use a larger model`,
    );
  }
}

function inRange(field: string, value: unknown, low: number, high: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < low || value > high) {
    throw bad(field, `must be a number from ${low} to ${high}`);
  }
  return value;
}

function integer(field: string, value: unknown, low: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < low) {
    throw bad(field, low === 0 ? 'must be a whole number, 0 or more' : 'must be a whole number');
  }
  return value;
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V });
}

function bad(field: string, must: string): TandemError {
  return new TandemError('bad_request', `\`${field}\` ${must}.`, { details: { field } });
}

function unsupported(field: string): TandemError {
  return new TandemError(
    'unsupported',
    `MLX models cannot use \`${field}\` here; ask a model in Ollama instead.`,
    {
      details: { field },
    },
  );
}
