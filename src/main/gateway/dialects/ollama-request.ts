import type { z } from 'zod';
import type {
  CompletionRequest,
  Extra,
  ModelInput,
  ResponseFormat,
  Sampling,
} from '../../../shared/completion';
import type { BackendId, Category, ModelChoice } from '../../../shared/domain';
import { TandemError } from '../../../shared/errors';
import { type LoopTurn, nextTurn, turnEvery } from '../../ports/turns';
import { type Named, parseCategory, parseModelChoice } from '../model-choice';
import {
  BODY_FIELDS,
  chatBody,
  type commonBody,
  fieldsOf,
  generateBody,
  optionsBody,
  parse,
  toolsBody,
  unknownFields,
} from './ollama-body';
import { contentOf, imagePart, readMessages, readTools } from './ollama-messages';

/** Messages, images, calls and tools of one body that are read between two turns. */
const ITEMS_A_TURN = 1_000;

/** The content of an Ollama request's body; the rest of a `CompletionRequest` comes from headers and connection. */
export interface OllamaRequest {
  /** `model` as requested, echoed in every frame. */
  asked: string;
  stream: boolean;
  request: ModelInput & Pick<CompletionRequest, 'model' | 'category'>;
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
  named: Named;
}

/**
 * Reads the body of `/api/chat`, with a `turn` between parts of a long one. An empty list of messages loads the model,
 * or unloads it with `keep_alive: 0`. Rejects with `bad_request`, `bad_model_name` or `unsupported`, or with the
 * rejection of `turn`.
 */
export async function readChat(
  body: unknown,
  rules: ModelRules,
  turn: LoopTurn = nextTurn,
): Promise<OllamaRequest> {
  const parsed = parse(chatBody, body);
  const pace = turnEvery(ITEMS_A_TURN, turn);
  const messages = await readMessages(parsed.messages ?? [], pace);
  const { tools } = parse(toolsBody, body);
  const common = readCommon(parsed, rules, body as object);
  common.request.messages = messages;
  if (tools && tools.length > 0) common.request.tools = await readTools(tools, pace);
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
  messages.push({
    role: 'user',
    content: images.length > 0 ? contentOf(prompt, images.map(imagePart)) : prompt,
  });
  return common;
}

/** @param raw the body as it came */
function readCommon(
  body: z.output<typeof commonBody>,
  rules: ModelRules,
  raw: { options?: object | null },
): OllamaRequest {
  if (body.logprobs) throw new TandemError('unsupported', 'logprobs are not supported; leave them out');
  const asked = body.model?.trim() ?? '';
  if (asked === '' && !rules.modelOptional) {
    throw new TandemError('bad_request', 'model is required; "auto" lets Tandem choose');
  }
  const named: ModelChoice =
    asked === '' ? { kind: 'auto' } : parseModelChoice(asked, rules.backends, rules.named);
  const category = readCategory(body.category ?? '', named, rules);
  const model = firstOn(named, rules.firstBackend);
  const sampling = readSampling(body.options);
  // Messages, calls and tools may have fields of the dialect even if the body itself has none.
  const request: OllamaRequest['request'] = { messages: [], model, sampling, dialect: 'ollama' };
  if (category) request.category = category;
  const format = readFormat(body.format);
  if (format) request.format = format;
  if (body.think !== null && body.think !== undefined) request.think = body.think;
  if (body.keep_alive !== null && body.keep_alive !== undefined) {
    request.keepAlive = readKeepAlive(body.keep_alive);
  }
  const extra = readExtra(raw);
  if (extra) request.extra = extra;
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

function readFormat(format: z.output<typeof commonBody>['format']): ResponseFormat | undefined {
  if (format === null || format === undefined || format === '') return undefined;
  return format === 'json' ? { type: 'json' } : { type: 'schema', schema: format };
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

const OPTIONS = fieldsOf(optionsBody);

function readExtra(body: { options?: object | null }): Extra | undefined {
  const fields = unknownFields(body, BODY_FIELDS, []);
  const options = unknownFields(body.options ?? {}, OPTIONS, ['options']);
  return options ? { ...fields, options } : fields;
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
