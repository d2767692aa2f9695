/** Servers that a request can be sent to. `cloud` is reserved for the optional third provider. */
export const BACKEND_IDS = ['mlx', 'ollama'] as const;
export type BackendId = (typeof BACKEND_IDS)[number];

/** Who gave an answer: a backend, or Tandem's own words (`app`). */
export type AnswerSource = BackendId | 'cloud' | 'cache' | 'app';

export const CATEGORIES = ['greeting', 'fast', 'data_question', 'coding', 'reasoning', 'general'] as const;
export type Category = (typeof CATEGORIES)[number];

export const PRIORITIES = ['high', 'medium', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** States of a backend as in the HTTP interface; `adopted` is a ready server that is not ours. */
export const BACKEND_STATES = [
  'absent',
  'stopped',
  'starting',
  'ready',
  'busy',
  'hung',
  'backoff',
  'open',
  'stopping',
  'adopted',
] as const;
export type BackendState = (typeof BACKEND_STATES)[number];

/** May requests be sent to a backend in this state right now? */
export function isServing(state: BackendState): boolean {
  return state === 'ready' || state === 'busy' || state === 'adopted';
}

/** Why a route was taken; the part after the colon is a machine word, the UI has the sentence. */
export type Reason =
  | `rule:${string}`
  | `explicit:${'model' | 'backend' | 'category'}`
  | `setting:${'only-light' | 'policy' | 'category-model' | 'ollama-only' | 'mlx-only'}`
  | `fallback:${string}`
  | `breaker:open`
  | `memory:${'critical' | 'working-set' | 'buffer-limit' | 'evicted' | 'smaller'}`
  | `unavailable:${string}`
  | 'small-model'
  | 'no-capable-model'
  | 'continued'
  | 'echo';

export type Role = 'system' | 'user' | 'assistant' | 'tool';

export interface ChatMessage {
  role: Role;
  content: string;
  /** Base64 images, as in Ollama's dialect. */
  images?: string[];
  /** Tool calls and results pass through untouched (Ollama's shape). */
  tool_calls?: unknown[];
  tool_name?: string;
}

/** Sampling parameters under neutral names; absent means the backend's own default. */
export interface Sampling {
  temperature?: number;
  topP?: number;
  topK?: number;
  minP?: number;
  seed?: number;
  repeatPenalty?: number;
  /** At most this many tokens are generated. */
  maxTokens?: number;
  stop?: string[];
}

/** What a client asked for by `model`: `auto`, `auto:<category>`, `<name>`, `mlx/<name>` or `ollama/<name>`. */
export type ModelChoice =
  | { kind: 'auto'; category?: Category }
  | { kind: 'backend'; backend: BackendId }
  | { kind: 'named'; name: string; backend?: BackendId };

/** One request as the router sees it, whatever dialect it came in. */
export interface CompletionRequest {
  /** Unique; also `X-Request-Id`. */
  id: string;
  messages: ChatMessage[];
  /** Set when the client wants no chat template (`raw`): the text goes to the model as it is. */
  rawPrompt?: string;
  model: ModelChoice;
  /** Explicit category (the dialect's `category` field). */
  category?: Category;
  priority: Priority;
  /** Stable name of the caller, for rate limit and fairness; `ui` is the app itself. */
  client: string;
  /** Counted by the rate limit; absent = not. */
  rateLimited?: boolean;
  sampling: Sampling;
  /** JSON mode or schema, as in Ollama's `format`. */
  format?: unknown;
  tools?: unknown[];
  think?: boolean | string;
  keepAlive?: string | number;
  /** Ollama `options` that have no neutral name (num_ctx, …), passed to Ollama only. */
  extraOptions?: Record<string, unknown>;
  /** No fallback: 503 instead. */
  strict: boolean;
  /** The client gets the answer when it is complete: one that breaks off can begin anew elsewhere, unseen. */
  whole?: boolean;
  /** Backends not to be used (for instance "ask the other one"). */
  exclude?: BackendId[];
  /** A limit sent by the client, ms from the moment a backend takes the request. */
  timeoutMs?: number;
  /** The memory guard lets this one pass: the user was told of its refusal and wants it all the same. */
  overruleMemory?: boolean;
  /** Instances of Tandem that it has passed, as in the hop header. */
  hops?: string;
  /** Name of the API surface, for the journal. */
  origin: 'chat' | 'gateway' | 'mlx-api';
}

/** What a backend's stream yields. A stream that ends without `end` has failed. */
export type CompletionChunk =
  | { type: 'text'; text: string }
  | { type: 'thinking'; text: string }
  | { type: 'tool_calls'; calls: unknown[] }
  /** Prompt evaluation: `done` of `total` tokens. */
  | { type: 'prefill'; done: number; total: number }
  | { type: 'end'; end: CompletionEnd };

export interface CompletionEnd {
  reason: 'stop' | 'length' | 'tool_calls' | 'load' | 'unload';
  promptTokens: number;
  /** Of `promptTokens`, those that the backend had computed before; absent where it does not tell. */
  cachedTokens?: number;
  completionTokens: number;
  /** Milliseconds, where the backend tells them. */
  loadMs?: number;
  promptMs?: number;
  evalMs?: number;
}

/** Name of the small model that the set-up gets, the same in both servers. */
export const SMALL_MODEL_NAME = 'tandem-smollm2-135m';
/** What earlier versions of Tandem put into Ollama in its place. */
export const FORMER_SMALL_MODEL_NAME = 'tandem-starter';
/** The set-up's name for the small model's folder, which the version follows. */
export const SMALL_MODEL_RUNTIME = 'smollm2-135m-instruct';

/** A model as found by the scanner. */
export interface ModelInfo {
  backend: BackendId;
  /** Name used in requests: `org/name`, a folder's name, or Ollama's `name:tag`. Never a path. */
  name: string;
  /** Bytes on disk; null = unknown. */
  sizeBytes: number | null;
  /** Parameters in billions; null = unknown. */
  billions: number | null;
  quantisation: string | null;
  /** Tokens; null = unknown. */
  contextLength: number | null;
  weight: ModelWeight;
  /** The model that Tandem brings along: the last choice, and all there is until a person gets another. */
  small: boolean;
  /** Codes (ISO 639-1) of the only languages that it knows; null = not known, taken as any. */
  languages: string[] | null;
  /** Runs on somebody else's machine through Ollama: never chosen by itself. */
  remote: boolean;
  /** Another Tandem lists it. */
  relayed?: boolean;
  capabilities: string[];
  modifiedAt: string | null;
  /** Other names of the same files, found in a second place; requests may use them. */
  aliases?: string[];
  /** Bytes that one token of context takes; absent = unknown. */
  kvBytesPerToken?: number;
  /** Does it run on this machine? Absent = unknown. */
  fit?: ModelFit;
}

/** `tight`: alone it runs, beside the others hardly. */
export type ModelFit = 'yes' | 'tight' | 'no' | 'unknown';

/** Can it answer, on this machine? What a server does not say of a model counts as yes. */
export function canChat({ remote, capabilities }: Pick<ModelInfo, 'remote' | 'capabilities'>): boolean {
  return !remote && (capabilities.length === 0 || capabilities.includes('completion'));
}

/** Light: at most 4B parameters. Heavy: 32B and above. */
export type ModelWeight = 'light' | 'middle' | 'heavy' | 'unknown';

/** Product definition of light and heavy, from parameters in billions. */
export function weightOf(billions: number | null): ModelWeight {
  if (billions === null) return 'unknown';
  if (billions <= 4) return 'light';
  return billions >= 32 ? 'heavy' : 'middle';
}
