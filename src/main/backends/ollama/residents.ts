import { TandemError } from '../../../shared/errors';
import type { LoadedModel } from '../../memory/types';
import { type Clock, sleep } from '../../ports/clock';
import type { LoadedItem, OllamaApi } from '../dialects/ollama/ollama-api';
import { inUse } from '../in-use';

/** A model used this recently is not unloaded. */
const RECENT_MS = 30_000;
/** After this a process that does not exit keeps its memory; the next decision takes that into account. */
const DROP_LIMIT_MS = 5000;
const DROP_LOOK_MS = 25;

/** The models in one server's memory, as it reports them, and which of them we loaded. */
export class Residents {
  readonly #clock: Clock;
  readonly #sizeOf: (model: string) => number | null;
  readonly #active = new Map<string, number>();
  /** Requested when not in memory, and no frame since: the server lists a model as soon as its load begins. */
  readonly #loading = new Set<string>();
  readonly #lastUsed = new Map<string, number>();
  readonly #ours = new Set<string>();
  #reading: { at: number; items: readonly LoadedItem[] } | null = null;
  /** On our own server every loaded model was loaded for one of our requests. */
  #allOurs = false;

  /** @param sizeOf bytes of an installed model on disk */
  constructor(clock: Clock, sizeOf: (model: string) => number | null) {
    this.#clock = clock;
    this.#sizeOf = sizeOf;
  }

  /** Another server is used from now on. @param managed it is our process */
  changed(managed: boolean): void {
    this.#reading = null;
    this.#ours.clear();
    this.#allOurs = managed;
  }

  /** A request to this model is sent. */
  begin(model: string): void {
    const name = plain(model);
    this.#active.set(name, (this.#active.get(name) ?? 0) + 1);
    if (!this.has(name)) this.#loading.add(name);
    // Before the first reading it is unknown who loaded what, so the model counts as not ours.
    if (this.#reading && !this.has(name)) this.#ours.add(name);
  }

  /** A frame of an answer by this model has arrived. */
  answering(model: string): void {
    if (this.#loading.size > 0) this.#loading.delete(plain(model));
  }

  end(model: string): void {
    const name = plain(model);
    const left = (this.#active.get(name) ?? 1) - 1;
    if (left > 0) this.#active.set(name, left);
    else {
      this.#active.delete(name);
      this.#loading.delete(name);
    }
    this.#lastUsed.set(name, this.#clock.now());
  }

  /** Was it in the last reading? */
  has(model: string): boolean {
    return this.#reading?.items.some(({ name }) => plain(name) === plain(model)) ?? false;
  }

  isOurs(model: string): boolean {
    return this.#allOurs || this.#ours.has(plain(model));
  }

  /** Tokens of context of the models in memory, by name, as far as the server reports them. */
  contexts(): Map<string, number> {
    const items = this.#reading?.items ?? [];
    return new Map(
      items.flatMap((item) => (item.context_length ? [[plain(item.name), item.context_length]] : [])),
    );
  }

  /** The model with the latest expiry; null = none, or unknown. */
  get first(): string | null {
    const [first] = this.#reading?.items ?? [];
    return first ? plain(first.name) : null;
  }

  async refresh(api: OllamaApi, signal: AbortSignal): Promise<void> {
    const items = await api.loaded(signal);
    this.#reading = { at: this.#clock.wall().getTime(), items };
    for (const name of this.#ours) if (!this.has(name) && !this.#active.has(name)) this.#ours.delete(name);
  }

  /** The models of the last reading, plus those being loaded for us since. */
  list(): LoadedModel[] {
    if (!this.#reading) return [];
    const { at, items } = this.#reading;
    const known = items.map((item) => ({
      ...this.#facts(plain(item.name)),
      size: { bytes: item.size ?? null, source: 'api/ps', at },
      ready: !this.#loading.has(plain(item.name)),
    }));
    const coming = [...this.#active.keys()].filter((name) => !this.has(name));
    return [
      ...known,
      ...coming.map((name) => ({
        ...this.#facts(name),
        size: { bytes: this.#sizeOf(name), source: 'estimate', at: this.#clock.wall().getTime() },
        ready: false,
      })),
    ];
  }

  /**
   * Size of the loaded models as they were loaded: their files, as the server's own figure grows with its caches. A
   * model of unknown size counts with that figure.
   */
  get loadedBytes(): number {
    const items = this.#reading?.items ?? [];
    return items.reduce((sum, { name, size }) => sum + (this.#sizeOf(plain(name)) ?? size ?? 0), 0);
  }

  /**
   * Unloads a model of ours and resolves when it is gone; resolves at once if it is not loaded.
   * @throws TandemError `unsupported` for a model that somebody else loaded, or that is answering
   */
  async unload(api: OllamaApi, model: string, signal: AbortSignal): Promise<void> {
    const found = await this.#resident(api, model, signal);
    if (!found || !this.has(model)) return;
    if (!found.ours || found.active > 0) {
      const why = found.ours ? 'is answering' : 'was loaded by another program';
      throw new TandemError('unsupported', `${model} ${why}; it stays in memory.`, { details: { model } });
    }
    await this.#drop(api, [found.name], signal);
  }

  /**
   * Unloads a model at the user's request, whoever loaded it. Resolves like `unload`.
   * @throws TandemError `busy` while a request of ours uses it or loads it
   */
  async free(api: OllamaApi, model: string, signal: AbortSignal): Promise<void> {
    const found = await this.#resident(api, model, signal);
    if (!found) return;
    if (found.active > 0) throw inUse(model);
    await this.#drop(api, [found.name], signal);
  }

  /** The model in memory, by a new reading. */
  async #resident(api: OllamaApi, model: string, signal: AbortSignal): Promise<LoadedModel | undefined> {
    await this.refresh(api, signal);
    const known = this.list().find(({ name }) => name === plain(model));
    return known && (this.has(model) || known.active > 0) ? known : undefined;
  }

  /** Unloads models that we loaded and that are neither in use nor recently used. @returns how many were unloaded */
  async makeRoom(api: OllamaApi, wanted: string, signal: AbortSignal): Promise<number> {
    await this.refresh(api, signal);
    const now = this.#clock.now();
    const recent = (lastUsedAt: number | null) => lastUsedAt !== null && now - lastUsedAt < RECENT_MS;
    const idle = this.list().filter(
      ({ name, ready, ours, active, lastUsedAt }) =>
        ready && ours && active === 0 && name !== plain(wanted) && !recent(lastUsedAt),
    );
    const names = idle.map(({ name }) => name);
    await this.#drop(api, names, signal);
    return names.length;
  }

  /** Waits after the unload, because the server confirms it a moment before the process exits. */
  async #drop(api: OllamaApi, names: readonly string[], signal: AbortSignal): Promise<void> {
    for (const name of names) await api.unload(name, signal);
    const giveUp = this.#clock.now() + DROP_LIMIT_MS;
    for (;;) {
      await this.refresh(api, signal);
      if (!names.some((name) => this.has(name)) || this.#clock.now() >= giveUp) return;
      await sleep(this.#clock, DROP_LOOK_MS, signal);
    }
  }

  #facts(name: string): Pick<LoadedModel, 'name' | 'ours' | 'active' | 'lastUsedAt'> {
    return {
      name,
      ours: this.isOurs(name),
      active: this.#active.get(name) ?? 0,
      lastUsedAt: this.#lastUsed.get(name) ?? null,
    };
  }
}

/** The tag that Ollama adds automatically carries no information. */
export function plain(name: string): string {
  return name.replace(/:latest$/, '');
}
