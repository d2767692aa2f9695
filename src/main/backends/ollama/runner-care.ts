import type { Logger } from '../../ports/logger';
import type { SupervisionObserver } from '../../supervisor/life';
import type { Catalogue } from './catalogue';
import type { ServerCare } from './completions';
import type { OllamaApi } from './ollama-api';
import type { Residents } from './residents';
import { type Pulse, type Runners, stillOf } from './runners';

export interface RunnerCareOptions {
  /** Those of a server of ours; with another one its pulse is null. */
  runners: Runners;
  residents: Residents;
  catalogue: Catalogue;
  /** The server in use; null = none. */
  api(): OllamaApi | null;
  /** A request is being answered. */
  busy(): boolean;
  restartServer(): void;
  /** The number of prompts that are computed for nobody has changed. */
  onDrain(): void;
  logger: Logger;
  /** Told of each process that stood still and was ended while the server went on. */
  observer?: SupervisionObserver;
}

/** A server that does not answer this soon is not going to unload anything. */
const UNLOAD_LIMIT_MS = 5000;

/** Looks after the model processes of the server in use: sees them, ends those that stand still, makes room. */
export class RunnerCare implements ServerCare {
  readonly #options: RunnerCareOptions;
  #draining = 0;
  #drained: Promise<unknown> = Promise.resolve();

  constructor(options: RunnerCareOptions) {
    this.#options = options;
  }

  /** Prompts that are computed for callers who left. */
  get draining(): number {
    return this.#draining;
  }

  heavy(model: string): boolean {
    return this.#options.catalogue.isHeavy(model);
  }

  pulse(): Promise<Pulse | null> {
    return this.#options.runners.pulse();
  }

  fitting(model: string, freeBytes: number | null): string | null {
    return this.#options.catalogue.fitting(model, freeBytes);
  }

  /**
   * In this order, until one helps: the server is asked to unload the model (it kills a process that stands still), we
   * kill the process ourselves, the server is started again. Somebody else's server is only asked, and only for what we
   * have loaded. Never rejects.
   */
  async cureStall(model: string, again: boolean): Promise<void> {
    const { runners, residents, logger } = this.#options;
    const before = await runners.pulse().catch(() => null);
    logger.warn('ollama.stalled', { model, again, pids: before?.map(({ pid }) => pid) });
    if (before === null) {
      if (residents.isOurs(model)) await this.#unload(model);
      return;
    }
    if (again) return this.#options.restartServer();
    await this.#unload(model);
    if (await this.#ended(before)) this.#tell(model);
    else this.#options.restartServer();
  }

  /** Has one of them gone, if need be because we kill those that stand still? */
  async #ended(before: Pulse): Promise<boolean> {
    const { runners } = this.#options;
    if (before.length === 0 || (await runners.anyEnded(before))) return true;
    const still = stillOf(before, (await runners.pulse().catch(() => null)) ?? []);
    return still.length > 0 && runners.kill(still);
  }

  async makeRoom(model: string, signal: AbortSignal): Promise<boolean> {
    const { residents, logger } = this.#options;
    const api = this.#options.api();
    if (!api) return false;
    const unloaded = await residents.makeRoom(api, model, signal);
    if (unloaded > 0) logger.info('ollama.made-room', { model, unloaded });
    return unloaded > 0;
  }

  promptCancelled(): void {
    const { runners, busy, onDrain } = this.#options;
    const count = (change: number) => {
      this.#draining += change;
      onDrain();
    };
    count(1);
    // With another request at work it can no longer be told for whom they compute.
    const idle = runners.idle(busy).catch(() => {});
    this.#drained = Promise.all([this.#drained, idle.then(() => count(-1))]);
  }

  /** Resolves when no prompt is computed for nobody any more, as far as that can be seen. */
  async drained(): Promise<void> {
    await this.#drained;
  }

  #tell(model: string): void {
    const { observer } = this.#options;
    observer?.onMoment('ollama', { type: 'stalled', cause: 'stalled', facts: { model } });
    observer?.onMoment('ollama', { type: 'ready', cause: null, facts: {} });
  }

  async #unload(model: string): Promise<void> {
    const api = this.#options.api();
    await api?.unload(model, AbortSignal.timeout(UNLOAD_LIMIT_MS)).catch(() => {});
  }
}
