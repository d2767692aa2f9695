import { join } from 'node:path';
import { type ModelInfo, SMALL_MODEL_NAME } from '../../shared/domain';
import type { BackendStatus } from '../../shared/status';
import type { Unsubscribe } from '../ports/emitter';
import type { Logger } from '../ports/logger';

/** A server that can be given the starter's files. */
export interface StarterHost {
  status(): BackendStatus;
  readonly onStatus: (listener: (status: BackendStatus) => void) => Unsubscribe;
  models(signal?: AbortSignal): Promise<ModelInfo[]>;
  createFromFolder(model: string, folder: string, signal: AbortSignal): Promise<void>;
}

const LIMIT_MS = 60_000;

/**
 * Registers the bundled model in Ollama when it is not there: always in a server of our own, in somebody else's only
 * with consent. A failure costs the second mouth for small talk and nothing else, so it is logged and left.
 */
export class StarterInstaller {
  readonly #host: StarterHost;
  readonly #folder: string;
  readonly #consent: () => boolean;
  readonly #onInstalled: () => Promise<void>;
  readonly #logger: Logger;
  #work: Promise<void> | null = null;
  #readySince: number | null = null;

  constructor(options: {
    host: StarterHost;
    resourcesDir: string;
    /** May it be created in a server that is not ours? */
    consent: () => boolean;
    onInstalled: () => Promise<void>;
    logger: Logger;
  }) {
    this.#host = options.host;
    this.#folder = join(options.resourcesDir, 'models', 'starter');
    this.#consent = options.consent;
    this.#onInstalled = options.onInstalled;
    this.#logger = options.logger.child('starter');
  }

  /** Watches the server; each time it has come up the starter is looked for once. */
  start(): Unsubscribe {
    return this.#host.onStatus((status) => {
      if (status.readySince === this.#readySince) return;
      this.#readySince = status.readySince;
      if (status.readySince !== null) void this.ensure();
    });
  }

  /** Creates the starter if it may and must; calls while one runs share it. Never rejects. */
  ensure(): Promise<void> {
    this.#work ??= this.#ensure()
      .catch((error) => this.#logger.warn('starter-not-created', { error: String(error) }))
      .finally(() => {
        this.#work = null;
      });
    return this.#work;
  }

  async #ensure(): Promise<void> {
    const { ownership } = this.#host.status();
    if (ownership !== 'managed' && !this.#consent()) return;
    const models = await this.#host.models(AbortSignal.timeout(LIMIT_MS));
    if (models.some((model) => model.small)) return;
    await this.#host.createFromFolder(SMALL_MODEL_NAME, this.#folder, AbortSignal.timeout(LIMIT_MS));
    await this.#onInstalled();
  }
}
