import { join } from 'node:path';
import { FORMER_SMALL_MODEL_NAME, type ModelInfo, SMALL_MODEL_NAME } from '../../shared/domain';
import type { BackendStatus } from '../../shared/status';
import type { Unsubscribe } from '../ports/emitter';
import type { Logger } from '../ports/logger';

/** A server that can create the small model from files. */
export interface SmallModelHost {
  status(): BackendStatus;
  readonly onStatus: (listener: (status: BackendStatus) => void) => Unsubscribe;
  models(signal?: AbortSignal): Promise<ModelInfo[]>;
  createFromFiles(
    model: string,
    paths: readonly string[],
    modelfile: string,
    signal: AbortSignal,
  ): Promise<void>;
  deleteModel(model: string, signal: AbortSignal): Promise<void>;
}

const LIMIT_MS = 60_000;

/**
 * Keeps the small model in Ollama as the setting says: created if its file exists and the model is missing, deleted if
 * the user has removed it. Always in our own server, in another one only with consent. A failure affects only this
 * model, so it is logged and ignored.
 */
export class SmallModelInstaller {
  readonly #options: SmallModelInstallerOptions;
  readonly #modelfile: string;
  readonly #logger: Logger;
  #work: Promise<void> | null = null;
  #again = false;
  #readySince: number | null = null;

  constructor(options: SmallModelInstallerOptions) {
    this.#options = options;
    this.#modelfile = join(options.resourcesDir, 'models', 'small', 'Modelfile');
    this.#logger = options.logger.child('small-model');
  }

  /** Watches the server and checks the model once each time the server becomes ready. */
  start(): Unsubscribe {
    return this.#options.host.onStatus((status) => {
      if (status.readySince === this.#readySince) return;
      this.#readySince = status.readySince;
      if (status.readySince !== null) void this.ensure();
    });
  }

  /** Creates or deletes the model as needed and permitted; a call during a run causes another. Never rejects. */
  ensure(): Promise<void> {
    this.#again = this.#work !== null;
    this.#work ??= this.#run();
    return this.#work;
  }

  async #run(): Promise<void> {
    do {
      this.#again = false;
      await this.#ensure().catch((error) => this.#logger.warn('not-kept', { error: String(error) }));
    } while (this.#again);
    this.#work = null;
  }

  async #ensure(): Promise<void> {
    const { host, consent, wanted, gguf, onChanged } = this.#options;
    const { ownership, readySince } = host.status();
    if (readySince === null || (ownership !== 'managed' && !consent())) return;
    const limit = () => AbortSignal.timeout(LIMIT_MS);
    const models = await host.models(limit());
    const isThere = models.some((model) => model.name === SMALL_MODEL_NAME);
    const former = models.some((model) => model.name === FORMER_SMALL_MODEL_NAME);
    if (former) await host.deleteModel(FORMER_SMALL_MODEL_NAME, limit());
    const file = gguf();
    const create = wanted() && !isThere && file !== null;
    const remove = !wanted() && isThere;
    if (create) await host.createFromFiles(SMALL_MODEL_NAME, [file], this.#modelfile, limit());
    if (remove) await host.deleteModel(SMALL_MODEL_NAME, limit());
    if (former || create || remove) await onChanged();
  }
}

export interface SmallModelInstallerOptions {
  host: SmallModelHost;
  resourcesDir: string;
  /** May it be created in a server that is not ours? */
  consent: () => boolean;
  /** Does the user want it at all? */
  wanted: () => boolean;
  /** Its file; null until it has been downloaded. */
  gguf: () => string | null;
  /** Called after the server's models changed. */
  onChanged: () => Promise<void>;
  logger: Logger;
}
