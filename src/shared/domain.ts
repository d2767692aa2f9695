/** Id of a backend. It is the prefix of model names and of the names on the wire, such as `<id>_bytes`. */
export type BackendId = string;

/** `light` keeps the system alive and is best effort; `heavy` solves tasks; `cloud` answers when no other one does. */
export const BACKEND_ROLES = ['light', 'heavy', 'cloud'] as const;
export type BackendRole = (typeof BACKEND_ROLES)[number];

/** One server that requests can be sent to; constant while the app runs. */
export interface BackendInstance {
  id: BackendId;
  /** Its adapter, such as `ollama`; several instances may be of one kind. */
  kind: string;
  role: BackendRole;
  /** Its name in sentences. */
  title: string;
}

/** The name of a backend in sentences; its id if this run does not have it. */
export function titleOf(instances: readonly BackendInstance[], id: BackendId): string {
  return instances.find((instance) => instance.id === id)?.title ?? id;
}

export const CATEGORIES = ['greeting', 'fast', 'data_question', 'coding', 'reasoning', 'general'] as const;
export type Category = (typeof CATEGORIES)[number];

export const PRIORITIES = ['high', 'medium', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** States of a backend, as in the HTTP interface; `adopted` is a ready server that is not ours. */
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

/** Can requests be sent to a backend in this state? */
export function isServing(state: BackendState): boolean {
  return state === 'ready' || state === 'busy' || state === 'adopted';
}

/** Why a route was chosen; the part after the colon is a machine word, the UI has the sentence. */
export type Reason =
  | `rule:${string}`
  | `explicit:${'model' | 'backend' | 'category'}`
  | `setting:${'only-light' | 'policy' | 'category-model'}`
  | `setting:${BackendId}-only`
  | `fallback:${string}`
  | `breaker:open`
  | `context:truncated-${number}`
  | `memory:${'critical' | 'working-set' | 'buffer-limit' | 'evicted' | 'smaller'}`
  | `unavailable:${string}`
  | 'small-model'
  | 'no-capable-model'
  | 'continued'
  | 'echo';

/** The client's `model`: `auto`, `auto:<category>`, `<name>` or `<backend>/<name>`. */
export type ModelChoice =
  | { kind: 'auto'; category?: Category }
  | { kind: 'backend'; backend: BackendId }
  | { kind: 'named'; name: string; backend?: BackendId };

/** Name of the small model that set-up downloads, the same in both servers. */
export const SMALL_MODEL_NAME = 'tandem-smollm2-135m';
/** Name of the model that earlier versions of Tandem created in Ollama. */
export const FORMER_SMALL_MODEL_NAME = 'tandem-starter';
/** Set-up's name for the small model's folder; the version is appended. */
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
  /** The most tokens that it supports; null = unknown. */
  contextLength: number | null;
  /** Tokens of context that requests get here (memory/README.md); absent = its server decides. */
  pinnedContext?: number;
  weight: ModelWeight;
  /** The model that comes with Tandem: the last choice, and the only one until the user installs another. */
  small: boolean;
  /** Codes (ISO 639-1) of the only languages that it supports; null = unknown, treated as any. */
  languages: string[] | null;
  /** Runs on a remote machine through Ollama: never chosen automatically. */
  remote: boolean;
  /** Another Tandem lists it. */
  relayed?: boolean;
  capabilities: string[];
  modifiedAt: string | null;
  /** Other names of the same files, found in another place; requests may use them. */
  aliases?: string[];
  /** Bytes of one token of context; absent = unknown. */
  kvBytesPerToken?: number;
  /** Does it run on this machine? Absent = unknown. */
  fit?: ModelFit;
}

/** `tight`: it runs alone, but hardly together with others. */
export type ModelFit = 'yes' | 'tight' | 'no' | 'unknown';

/** Can it answer on this machine? If its server reports no capabilities, yes. */
export function canChat({ remote, capabilities }: Pick<ModelInfo, 'remote' | 'capabilities'>): boolean {
  return !remote && (capabilities.length === 0 || capabilities.includes('completion'));
}

/** Light: at most 4B parameters. Heavy: 32B and above. */
export type ModelWeight = 'light' | 'middle' | 'heavy' | 'unknown';

/** Parameters in billions from texts such as `3.8B`, `595.78M` or `103K`; null for other texts. */
export function parseBillions(text: string | undefined): number | null {
  const match = /^([\d.]+)\s*([KMBT])$/i.exec(text?.trim() ?? '');
  if (!match) return null;
  const unit = { K: 1e-6, M: 1e-3, B: 1, T: 1e3 }[match[2]?.toUpperCase() ?? ''];
  const value = Number(match[1]);
  return unit === undefined || !Number.isFinite(value) ? null : value * unit;
}

/** Product definition of light and heavy, from parameters in billions. */
export function weightOf(billions: number | null): ModelWeight {
  if (billions === null) return 'unknown';
  if (billions <= 4) return 'light';
  return billions >= 32 ? 'heavy' : 'middle';
}
