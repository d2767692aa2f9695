import type { ModelInfo } from '../../shared/domain';
import { isServing } from '../../shared/domain';
import type { BackendRegistry } from '../backends/registry';
import type { Clock } from '../ports/clock';
import { Emitter } from '../ports/emitter';
import type { Logger } from '../ports/logger';

/** Models are looked for again this often, so that one installed by hand is found without a restart. */
const RESCAN_MS = 20_000;

/**
 * What is installed, over all backends. A backend that cannot be asked right now keeps its last list, so that a
 * restart does not make its models vanish.
 */
export class ModelLibrary {
  readonly #registry: BackendRegistry;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #byBackend = new Map<string, ModelInfo[]>();
  readonly #changed = new Emitter<readonly ModelInfo[]>();
  readonly #cancels: (() => void)[] = [];
  #scan: Promise<void> | null = null;

  /** The list has changed, or a backend has come up, which may be able to answer now what it could not before. */
  readonly onChange = this.#changed.subscribe;

  constructor(options: { registry: BackendRegistry; clock: Clock; logger: Logger }) {
    this.#registry = options.registry;
    this.#clock = options.clock;
    this.#logger = options.logger.child('models');
  }

  models(): ModelInfo[] {
    return this.#registry.all().flatMap((backend) => this.#byBackend.get(backend.id) ?? []);
  }

  /** Starts looking: now, whenever a backend becomes ready, and now and then. */
  start(): void {
    this.#cancels.push(this.#clock.every(RESCAN_MS, () => void this.rescan()));
    for (const backend of this.#registry.all()) {
      let serving = false;
      this.#cancels.push(
        backend.onStatus((status) => {
          const now = isServing(status.state);
          if (now && !serving) void this.#afterStart();
          serving = now;
        }),
      );
    }
    void this.rescan();
  }

  stop(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  /** Asks every backend again; calls while one runs share it. Never rejects. */
  rescan(): Promise<void> {
    this.#scan ??= this.#ask().finally(() => {
      this.#scan = null;
    });
    return this.#scan;
  }

  /** A scan that was under way did not reach the backend yet. */
  async #afterStart(): Promise<void> {
    await this.#scan;
    await this.rescan();
    this.#changed.emit(this.models());
  }

  async #ask(): Promise<void> {
    const before = JSON.stringify(this.models());
    await Promise.all(
      this.#registry.all().map(async (backend) => {
        try {
          this.#byBackend.set(backend.id, await backend.models(AbortSignal.timeout(5_000)));
        } catch (error) {
          this.#logger.debug('list-failed', { backend: backend.id, error: String(error) });
        }
      }),
    );
    if (JSON.stringify(this.models()) !== before) this.#changed.emit(this.models());
  }
}

/** Is there any model that can do more than small talk? */
export function hasCapableModel(models: readonly ModelInfo[]): boolean {
  return models.some((model) => !model.starter && !model.remote && model.capabilities.includes('completion'));
}
