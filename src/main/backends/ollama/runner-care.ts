import type { Clock } from '../../ports/clock';
import type { Logger } from '../../ports/logger';
import type { SupervisionObserver } from '../../supervisor/life';
import type { Catalogue } from '../dialects/ollama/catalogue';
import type { OllamaApi } from '../dialects/ollama/ollama-api';
import { isSilence, withDeadline } from '../watch/deadline';
import { type Pulse, stillOf } from '../watch/pulse';
import type { ServerCare, StallCure } from '../watch/server-care';
import type { Residents } from './residents';
import type { Runners } from './runners';

export interface RunnerCareOptions {
  clock: Clock;
  /** Processes of the server in use; `pulse` is null where it cannot be observed. */
  runners: Runners;
  residents: Residents;
  catalogue: Catalogue;
  /** The server in use; null = none. */
  api(): OllamaApi | null;
  /** The server is our process. */
  managed(): boolean;
  /** A request is being answered. */
  busy(): boolean;
  restartServer(): Promise<void>;
  /** The number of draining prompts has changed. */
  onDrain(): void;
  logger: Logger;
  /** Notified of each stuck process that was ended while the server went on. */
  observer?: SupervisionObserver;
}

/** A server that does not answer within this time will not unload anything. */
const UNLOAD_LIMIT_MS = 5000;
/** Time to read what is loaded, to unload it, and to wait until it is gone. */
const ROOM_LIMIT_MS = 15_000;
/**
 * The version is returned within ms, even during a load; two timeouts in a row mean a hung server. The list of loaded
 * models is usually as fast, but since 0.30 it may take 20 s while a model process is stuck.
 */
const SILENCE_MS = 5000;
const SILENCES = 2;

/** Takes care of the model processes of the server in use: observes them, ends stuck ones, makes room. */
export class RunnerCare implements ServerCare {
  readonly #options: RunnerCareOptions;
  readonly #drains = new Set<Promise<void>>();

  constructor(options: RunnerCareOptions) {
    this.#options = options;
  }

  /** Number of prompts still computed for callers who left. */
  get draining(): number {
    return this.#drains.size;
  }

  heavy(model: string): boolean {
    return this.#options.catalogue.isHeavy(model);
  }

  /**
   * An external server without a model process counts as one that cannot be observed: an old version may compute in
   * the server itself.
   */
  async pulse(): Promise<Pulse | null> {
    const { runners, managed } = this.#options;
    const pulse = await runners.pulse();
    return pulse?.length === 0 && !managed() ? null : pulse;
  }

  async isLoaded(model: string): Promise<boolean> {
    const { clock, residents } = this.#options;
    const api = this.#options.api();
    if (!api) return false;
    await withDeadline(clock, SILENCE_MS, (signal) => residents.refresh(api, signal));
    return residents.has(model);
  }

  async restartSilent(again: boolean): Promise<boolean> {
    const { managed, api, restartServer, logger } = this.#options;
    const server = managed() ? api() : null;
    if (!server) return false;
    for (let question = 0; question < SILENCES; question += 1) {
      if (await this.#answers(server, again)) return false;
    }
    // Another request may have found the server silent meanwhile and restarted it.
    if (api() !== server) return true;
    logger.warn('ollama.silent');
    await restartServer();
    return true;
  }

  /** @param about ask for the loaded models, which fails before the version does when the scheduler hangs */
  #answers(server: OllamaApi, about: boolean): Promise<boolean> {
    const ask = (signal: AbortSignal) => (about ? server.loaded(signal) : server.version(signal));
    return withDeadline<unknown>(this.#options.clock, SILENCE_MS, ask).then(
      () => true,
      (error) => !isSilence(error),
    );
  }

  fitting(model: string, freeBytes: number | null): string | null {
    return this.#options.catalogue.fitting(model, freeBytes);
  }

  /**
   * Tries these cures in order until one helps: asks the server to unload the model (it kills a stuck process), kills
   * the process, restarts the server. With `again` it restarts the server at once. An external server is only asked to
   * unload, and only a model that we loaded. Never rejects.
   */
  async cureStall(model: string, again: boolean): Promise<StallCure> {
    const { runners, managed, restartServer, logger } = this.#options;
    const before = (await runners.pulse().catch(() => null)) ?? [];
    logger.warn('ollama.stalled', { model, again, pids: before.map(({ pid }) => pid) });
    const paused = await runners.anySuspended(before).catch(() => false);
    if (!managed()) return this.#cureExternal(model, before, paused);
    if (again) {
      await restartServer();
      return { cured: true, processEnded: !paused };
    }
    await this.#unload(model);
    if (await this.#ended(before)) this.#tell(model);
    else await restartServer();
    return { cured: true, processEnded: before.length > 0 && !paused };
  }

  async #cureExternal(model: string, before: Pulse, paused: boolean): Promise<StallCure> {
    const { runners, residents } = this.#options;
    if (!residents.isOurs(model)) return { cured: false, processEnded: false };
    await this.#unload(model);
    const cured = before.length > 0 && (await runners.anyEnded(before));
    if (cured) this.#tell(model);
    return { cured, processEnded: cured && !paused };
  }

  /** Has one of the processes ended? Kills those that are stuck if none has. */
  async #ended(before: Pulse): Promise<boolean> {
    const { runners } = this.#options;
    if (before.length === 0 || (await runners.anyEnded(before))) return true;
    const still = stillOf(before, (await runners.pulse().catch(() => null)) ?? []);
    return still.length > 0 && runners.kill(still);
  }

  async makeRoom(model: string, signal: AbortSignal): Promise<boolean> {
    const { clock, residents, logger } = this.#options;
    const api = this.#options.api();
    if (!api) return false;
    const make = (limited: AbortSignal) => residents.makeRoom(api, model, limited);
    const unloaded = await withDeadline(clock, ROOM_LIMIT_MS, make, signal);
    if (unloaded > 0) logger.info('ollama.made-room', { model, unloaded });
    return unloaded > 0;
  }

  promptCancelled(): void {
    const { runners, managed, busy, onDrain } = this.#options;
    // Others use an external server too, so it may never become idle.
    if (!managed()) return;
    // With another request running, it is unknown for whom the processes compute.
    const idle = runners
      .idle(busy)
      .catch(() => {})
      .then(() => {
        this.#drains.delete(idle);
        onDrain();
      });
    this.#drains.add(idle);
    onDrain();
  }

  /** Resolves when no prompt is computed for a caller who left, as far as that can be observed. */
  async drained(): Promise<void> {
    await Promise.all(this.#drains);
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
