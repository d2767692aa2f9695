import {
  type BackendId,
  FORMER_SMALL_MODEL_NAME,
  type ModelInfo,
  parseBillions,
  SMALL_MODEL_NAME,
  weightOf,
} from '../../../../shared/domain';

/** The fields of an `/api/tags` item that are used here. */
export interface TagItem {
  name: string;
  digest: string;
  size?: number;
  modified_at?: string | Date;
  details?: { parameter_size?: string; quantization_level?: string };
  remote_host?: string;
  remote_model?: string;
  /** Only in the list of another Tandem. Null is its `auto`, which is not a model. */
  tandem?: { backend: string | null };
}

/** The fields of an `/api/show` answer that are used here. */
export interface ShowAnswer {
  capabilities?: string[];
  model_info?: unknown;
  remote_host?: string;
  remote_model?: string;
}

/** A model that runs on somebody else's machine, judged by the name's ending. */
export function isRemoteName(name: string): boolean {
  return /[:-]cloud$/i.test(name.trim());
}

export function toModelInfo(item: TagItem, show: ShowAnswer | null, backend: BackendId): ModelInfo {
  const billions = parseBillions(item.details?.parameter_size);
  // The tag that Ollama adds automatically carries no information, and MLX has no tags: one name for one model.
  const name = item.name.replace(/:latest$/, '');
  const small = name === SMALL_MODEL_NAME || name === FORMER_SMALL_MODEL_NAME;
  return {
    backend,
    name,
    sizeBytes: item.size ?? null,
    billions,
    quantisation: item.details?.quantization_level || null,
    contextLength: contextLength(show?.model_info),
    weight: weightOf(billions),
    small,
    languages: small ? ['en'] : null,
    ...(item.tandem === undefined ? {} : { relayed: true }),
    remote: isRemoteName(item.name) || isRemoteAnswer(item) || (show !== null && isRemoteAnswer(show)),
    capabilities: show?.capabilities ?? [],
    modifiedAt: item.modified_at === undefined ? null : String(item.modified_at),
    ...kvBytesPerToken(show?.model_info),
  };
}

export function isRemoteAnswer(answer: { remote_host?: string; remote_model?: string }): boolean {
  return Boolean(answer.remote_host || answer.remote_model);
}

/** `<architecture>.context_length` of the model's description. */
function contextLength(info: unknown): number | null {
  const found = figure(info, 'context_length');
  return typeof found === 'number' ? found : null;
}

/** The server's default cache type, f16. */
const CACHE_ELEMENT_BYTES = 2;

/**
 * Bytes of a key and a value for each KV head, over all layers; the fields are those of the GGUF format. Empty when the
 * description lacks one, or the context has another form (latent attention).
 */
function kvBytesPerToken(info: unknown): { kvBytesPerToken?: number } {
  if (figure(info, 'attention.kv_lora_rank') !== undefined) return {};
  // Between them, layers of linear attention keep a state of fixed size.
  const interval = Number(figure(info, 'full_attention_interval') ?? 1);
  const layers = Math.floor(Number(figure(info, 'block_count')) / interval);
  const kvHeads = figure(info, 'attention.head_count_kv');
  // In some models a list gives the number of heads of each layer.
  const heads = Array.isArray(kvHeads)
    ? kvHeads.reduce((sum, count) => sum + Number(count), 0)
    : layers * Number(kvHeads);
  const shared = Number(figure(info, 'embedding_length')) / Number(figure(info, 'attention.head_count'));
  const key = Number(figure(info, 'attention.key_length') ?? shared);
  const value = Number(figure(info, 'attention.value_length') ?? key);
  const bytes = heads * (key + value) * CACHE_ELEMENT_BYTES;
  return Number.isFinite(bytes) && bytes > 0 ? { kvBytesPerToken: bytes } : {};
}

/** `<architecture>.<key>` of a model's description, which may also describe a vision part. */
function figure(info: unknown, key: string): unknown {
  if (typeof info !== 'object' || info === null) return undefined;
  const entries = Object.entries(info);
  const architecture = entries.find(([name]) => name === 'general.architecture')?.[1];
  const wanted = typeof architecture === 'string' ? `${architecture}.${key}` : null;
  return entries.find(([name]) => (wanted === null ? name.endsWith(`.${key}`) : name === wanted))?.[1];
}
