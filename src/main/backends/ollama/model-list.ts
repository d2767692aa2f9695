import { type BackendId, type ModelInfo, STARTER_NAME, weightOf } from '../../../shared/domain';

/** The part of an `/api/tags` item that is used here. */
export interface TagItem {
  name: string;
  digest: string;
  size?: number;
  modified_at?: string | Date;
  details?: { parameter_size?: string; quantization_level?: string };
  remote_host?: string;
  remote_model?: string;
}

/** The part of an `/api/show` answer that is used here. */
export interface ShowAnswer {
  capabilities?: string[];
  model_info?: unknown;
  remote_host?: string;
  remote_model?: string;
}

/** Parameters in billions from texts such as `3.8B`, `595.78M` or `103K`; null when it is none of them. */
export function parseBillions(text: string | undefined): number | null {
  const match = /^([\d.]+)\s*([KMBT])$/i.exec(text?.trim() ?? '');
  if (!match) return null;
  const unit = { K: 1e-6, M: 1e-3, B: 1, T: 1e3 }[match[2]?.toUpperCase() ?? ''];
  const value = Number(match[1]);
  return unit === undefined || !Number.isFinite(value) ? null : value * unit;
}

/** A model that runs on somebody else's machine: by what the server says, or by the name's ending. */
export function isRemoteName(name: string): boolean {
  return /[:-]cloud$/i.test(name.trim());
}

export function toModelInfo(item: TagItem, show: ShowAnswer | null, backend: BackendId): ModelInfo {
  const billions = parseBillions(item.details?.parameter_size);
  // The tag that Ollama adds by itself says nothing, and MLX has no tags: one name for one model.
  const name = item.name.replace(/:latest$/, '');
  return {
    backend,
    name,
    sizeBytes: item.size ?? null,
    billions,
    quantisation: item.details?.quantization_level || null,
    contextLength: contextLength(show?.model_info),
    weight: weightOf(billions),
    starter: name === STARTER_NAME,
    remote: isRemoteName(item.name) || isRemoteAnswer(item) || (show !== null && isRemoteAnswer(show)),
    capabilities: show?.capabilities ?? [],
    modifiedAt: item.modified_at === undefined ? null : String(item.modified_at),
  };
}

export function isRemoteAnswer(answer: { remote_host?: string; remote_model?: string }): boolean {
  return Boolean(answer.remote_host || answer.remote_model);
}

/** `<architecture>.context_length` of the model's own description. */
function contextLength(info: unknown): number | null {
  if (typeof info !== 'object' || info === null) return null;
  const found = Object.entries(info).find(([key]) => key.endsWith('.context_length'));
  return typeof found?.[1] === 'number' ? found[1] : null;
}
