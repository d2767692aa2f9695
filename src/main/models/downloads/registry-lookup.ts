import { z } from 'zod';
import { parseBillions } from '../../../shared/domain';
import { isTandemError, TandemError } from '../../../shared/errors';
import { kvBytesPerToken } from '../../memory/kv-cache';
import type { Fetcher } from '../../ports/fetcher';
import { CATALOGUE } from '../catalogue-table';
import { isSameName } from '../model-names';
import { type OllamaName, parseOllamaName } from './ollama-name';
import type { Found } from './source';

/** Hosts that are the Hugging Face hub, which also answers as a registry. */
const HUBS = new Set(['hf.co', 'huggingface.co']);
const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
/** Larger descriptions and licences are not fetched. */
const MAX_SMALL_BYTES = 256 * 1024;
const MAX_LICENCE = 100;

const layerSchema = z.object({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.number().nonnegative(),
});
type Layer = z.infer<typeof layerSchema>;
const manifestSchema = z.object({ config: layerSchema, layers: z.array(layerSchema).max(1000) });
const configSchema = z.object({ model_type: z.string().optional() });
const hubSchema = z.object({
  gated: z.union([z.boolean(), z.string()]).optional(),
  cardData: z.object({ license: z.string().optional().catch(undefined) }).nullish(),
  gguf: z.object({ context_length: z.number().optional(), total: z.number().optional() }).nullish(),
});

/**
 * Asks the registry of an Ollama model what a pull of it would download: its manifest, two small files, and for
 * `hf.co/…` the hub's description. Rejects with `model_not_found`, `model_gated` or `pull_failed`.
 */
export async function lookUpInRegistry(name: string, fetcher: Fetcher, signal: AbortSignal): Promise<Found> {
  const parsed = parseOllamaName(name);
  const call = new RegistryCall(parsed, name, fetcher, signal);
  const [manifest, hub] = await Promise.all([call.manifest(), HUBS.has(parsed.host) ? call.hub() : null]);
  const [config, licence] = await Promise.all([
    call.json(manifest.config, configSchema),
    call.firstLine(manifest.layers.find(({ mediaType }) => mediaType.endsWith('.license'))),
  ]);
  const weights = manifest.layers.filter(({ mediaType }) => /\.(?:model|projector|adapter)$/.test(mediaType));
  const parameters = hub?.gguf?.total;
  // A registry describes neither the context nor the shape of its cache.
  const row = CATALOGUE.find((known) => isSameName(known.name, name));
  return {
    sizeBytes: bytesOf([...manifest.layers, manifest.config]),
    weightsBytes: bytesOf(weights),
    billions: parameters ? parameters / 1e9 : parseBillions(config?.model_type),
    contextLength: hub?.gguf?.context_length ?? row?.contextLength ?? null,
    ...(row ? { kvBytesPerToken: kvBytesPerToken(row.kv) } : {}),
    licence: hub?.cardData?.license?.slice(0, MAX_LICENCE) ?? licence,
    gated: Boolean(hub?.gated),
    refused: null,
  };
}

function bytesOf(layers: readonly Layer[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

class RegistryCall {
  readonly #name: OllamaName;
  readonly #said: string;
  readonly #fetcher: Fetcher;
  readonly #signal: AbortSignal;

  constructor(name: OllamaName, said: string, fetcher: Fetcher, signal: AbortSignal) {
    this.#name = name;
    this.#said = said;
    this.#fetcher = fetcher;
    this.#signal = signal;
  }

  async manifest(): Promise<z.infer<typeof manifestSchema>> {
    const { path, tag } = this.#name;
    const response = await this.#get(`/v2/${path}/manifests/${tag}`, { accept: MANIFEST_TYPE });
    const { status } = response;
    if (response.ok) {
      const read = manifestSchema.safeParse(await response.json().catch(() => null));
      if (read.success) return read.data;
    } else await response.body?.cancel();
    throw this.#refusal(status);
  }

  /** The hub's description; null if it has none. */
  async hub(): Promise<z.infer<typeof hubSchema> | null> {
    const response = await this.#get(`/api/models/${this.#name.path}`);
    if (!response.ok) await response.body?.cancel();
    return response.ok ? (hubSchema.safeParse(await response.json().catch(() => null)).data ?? null) : null;
  }

  /** A small JSON file; null if it is large or cannot be read. */
  async json<T>(layer: Layer, schema: z.ZodType<T>): Promise<T | null> {
    try {
      return schema.safeParse(JSON.parse((await this.#text(layer)) ?? 'null')).data ?? null;
    } catch {
      return null;
    }
  }

  /** The first line with text, which names a licence; null if there is none. */
  async firstLine(layer: Layer | undefined): Promise<string | null> {
    const text = layer && (await this.#text(layer));
    const line = text?.split('\n').find((one) => one.trim() !== '');
    return line?.trim().slice(0, MAX_LICENCE) ?? null;
  }

  async #text({ digest, size }: Layer): Promise<string | null> {
    if (size > MAX_SMALL_BYTES) return null;
    const response = await this.#get(`/v2/${this.#name.path}/blobs/${digest}`);
    if (response.ok) return response.text();
    await response.body?.cancel();
    return null;
  }

  async #get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    const { host } = this.#name;
    try {
      return await this.#fetcher(`${schemeOf(host)}://${host}${path}`, { headers, signal: this.#signal });
    } catch (error) {
      this.#signal.throwIfAborted();
      if (isTandemError(error)) throw error;
      throw this.#failure(
        'network',
        `The library of ${this.#said} cannot be reached. Check the network connection, then try again.`,
        error,
      );
    }
  }

  #refusal(status: number): TandemError {
    if (status === 404)
      return new TandemError(
        'model_not_found',
        `There is no model ${this.#said} in its library; check the name.`,
      );
    if (status === 401 || status === 403)
      return new TandemError('model_gated', `The library gives ${this.#said} out only with consent.`, {
        // Ollama signs its requests with its own key; a token of Tandem's has no effect.
        details: { model: this.#said, access: 'own-key' },
      });
    return this.#failure(
      'refused',
      `The library answered with status ${status} for ${this.#said}. Try again later.`,
    );
  }

  #failure(problem: string, words: string, cause?: unknown): TandemError {
    return new TandemError('pull_failed', words, { cause, details: { model: this.#said, problem } });
  }
}

/** A registry on this machine has no certificate. */
function schemeOf(host: string): 'http' | 'https' {
  return /^(?:localhost|127(?:\.\d{1,3}){3})(?::\d+)?$/.test(host) ? 'http' : 'https';
}
