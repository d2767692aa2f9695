import { TandemError } from '../../../shared/errors';
import { kvBytesPerToken, kvShapeOf } from '../../memory/kv-cache';
import { contextLengthOf, isLoadable, parseConfig } from '../model-config';
import { billionsFromName, billionsFromSize } from '../model-folder';
import { type HubFacts, type HubProcess, type HubRequest, runHub } from './hub-process';
import type { DownloadProgress, DownloadSource, Found, Readiness } from './source';

/** As on the hub: an organisation, except for a few old ones, and a name. */
const REPOSITORY = /^[a-z0-9][a-z0-9._-]*(?:\/[a-z0-9][a-z0-9._-]*)?$/i;
const MAX_NAME = 96;

export interface HubSourceOptions {
  process: HubProcess;
  /** Path of the Python that has mlx-lm; null = missing. */
  python: () => string | null;
  readiness: () => Readiness;
  /** The stored token; null = none, or the environment has one. Rejects if the store cannot be read. */
  token: () => Promise<string | null>;
}

/** Models for MLX from the Hugging Face hub, through its own client in the runtime of mlx-lm. */
export class HubSource implements DownloadSource {
  readonly #options: HubSourceOptions;

  constructor(options: HubSourceOptions) {
    this.#options = options;
  }

  check(name: string): void {
    const isBad = name.length > MAX_NAME || /\.\.|--|[.-]$|[.-]\//.test(name) || !REPOSITORY.test(name);
    if (!isBad) return;
    throw new TandemError(
      'bad_model_name',
      `"${name.slice(0, 80)}" is no name of a repository. Use one such as mlx-community/Qwen2.5-3B-Instruct-4bit.`,
    );
  }

  readiness(): Readiness {
    return this.#options.readiness();
  }

  async pull(
    name: string,
    { onName }: Parameters<DownloadSource['pull']>[1],
    onProgress: (progress: DownloadProgress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const onFacts = (facts: HubFacts) => {
      const refused = refusalOf(facts);
      if (refused !== null) throw unsupported(name, refused);
      this.check(facts.id);
      onName?.(facts.id);
    };
    await this.#run({ do: 'download', repo: name }, { onFacts, onProgress }, signal);
  }

  async discard(name: string): Promise<void> {
    await this.#run({ do: 'discard', repo: name }, {}, new AbortController().signal);
  }

  async lookUp(name: string, signal: AbortSignal): Promise<Found> {
    let found: Found | null = null;
    const onFacts = (facts: HubFacts) => {
      found = foundOf(facts);
    };
    await this.#run({ do: 'lookup', repo: name }, { onFacts }, signal);
    if (found === null) throw new TandemError('pull_failed', `The hub reported nothing about ${name}.`);
    return found;
  }

  async #run(
    request: Omit<HubRequest, 'token'>,
    listener: Parameters<typeof runHub>[3],
    signal: AbortSignal,
  ): Promise<void> {
    const python = this.#options.python();
    if (python === null)
      throw new TandemError('backend_absent', 'MLX is not set up yet, and it brings the download with it.');
    const token = request.do === 'discard' ? null : await this.#options.token();
    await runHub(this.#options.process, python, { ...request, token }, listener, signal);
  }
}

/** Why MLX cannot run it, by the scanner's rules; null = it can, or unknown. */
function refusalOf({ hasWeights, hasConfig, config: json, architecture, runs }: HubFacts): string | null {
  if (!hasWeights) return 'no_safetensors';
  if (!hasConfig) return 'not_mlx';
  if (json === null) return null;
  if (runs === false) return `unknown_architecture:${architecture}`;
  const config = parseConfig(json);
  return config === null || !isLoadable(config) ? 'not_mlx' : null;
}

function unsupported(model: string, refused: string): TandemError {
  const [reason = '', architecture = null] = refused.split(':');
  return new TandemError('model_unsupported', `${model} is no model that MLX can run (${refused}).`, {
    details: { model, reason, architecture },
  });
}

function foundOf(facts: HubFacts): Found {
  const { sizeBytes, weightsBytes, licence, gated } = facts;
  const config = parseConfig(facts.config);
  const bits = config?.quantization?.bits ?? 16;
  const kv = kvShapeOf(facts.config);
  return {
    name: facts.id,
    sizeBytes,
    weightsBytes,
    billions: billionsFromName(facts.id) ?? (weightsBytes ? billionsFromSize(weightsBytes, bits) : null),
    contextLength: config && contextLengthOf(config),
    licence,
    gated,
    refused: refusalOf(facts),
    ...(kv ? { kvBytesPerToken: kvBytesPerToken(kv) } : {}),
  };
}
