import type { BackendId, Reason } from '../../shared/domain';
import type { Ledger, MemoryStatus } from '../../shared/status';
import { type Clock, sleep } from '../ports/clock';
import { Emitter, type Unsubscribe } from '../ports/emitter';
import type { Logger } from '../ports/logger';
import type { Decision, Evicted, GuardView, MemoryWish } from './decision';
import { Evictions } from './evictions';
import { decide, mustStopPreload, standingRefusal } from './guard';
import { GuardViews, type MachineMemory } from './guard-views';
import { relief } from './idle-models';
import { LastDecision } from './last-decision';
import { heldBytes } from './ledger-sums';
import type { ModelNeeds } from './model-needs';
import { refusal, ruleReason } from './refusal';
import type { MemoryHolder } from './types';

/** What is known of a model's size. */
export interface NeedsSource {
  /** Asked before the model is loaded. Never rejects. */
  of(model: string): Promise<ModelNeeds>;
  /** As far as it is known at once. */
  known(model: string): ModelNeeds;
}

export interface MemoryGateOptions {
  machine: MachineMemory;
  holders: Readonly<Record<BackendId, MemoryHolder>>;
  needs: Readonly<Record<BackendId, NeedsSource>>;
  /** Is a server's memory that of this machine? */
  isHere(backend: BackendId): boolean;
  clock: Clock;
  logger: Logger;
}

export type Asked = Omit<MemoryWish, 'needs'>;

/** Leave to take memory; give it back when the work has ended. */
export interface MemoryGrant {
  reasons: Reason[];
  release(): void;
}

type Waiting = Exclude<Decision, { kind: 'admit' | 'refuse' }>;

/** A decision is looked at again this often while it says wait. */
const AGAIN_MS = 1000;
/** Work that nobody else can do waits so long for memory before it is refused. */
const WAIT_LIMIT_MS = 30_000;
/** So long one waits for another's answer or load. */
const TURN_LIMIT_MS = 120_000;
/** What is done for nobody's sake is not cancelled. */
const NOBODY = new AbortController().signal;

/** Carries out what `guard.ts` decides: waits, asks for unloading, promises what it lets in, refuses with a reason. */
export class MemoryGate {
  /** The ledger may have changed. */
  readonly onChange: (listener: () => void) => Unsubscribe;
  readonly #changed = new Emitter<void>();
  readonly #options: MemoryGateOptions;
  readonly #views: GuardViews;
  readonly #decisions: LastDecision;
  readonly #evictions: Evictions;
  readonly #preloads = new Set<BackendId>();
  readonly #unsubscribe: Unsubscribe;
  #relieving = false;

  constructor(options: MemoryGateOptions) {
    this.#options = options;
    const { machine, holders, clock } = options;
    const logger = options.logger.child('memory');
    const changed = () => this.#changed.emit();
    this.#decisions = new LastDecision(clock, logger, changed);
    const lastDecision = () => this.#decisions.recent();
    this.#views = new GuardViews({ machine, holders, clock, lastDecision, changed });
    this.#evictions = new Evictions(holders, clock, logger);
    this.onChange = this.#changed.subscribe;
    this.#unsubscribe = machine.onSample((status) => this.#onSample(status));
  }

  close(): void {
    this.#unsubscribe();
  }

  /** Null while memory cannot be read. */
  ledger(): Ledger | null {
    return this.#views.now()?.account.ledger ?? null;
  }

  /** Pressure with hysteresis: critical until memory has really come back; unknown while it cannot be read. */
  pressure(): MemoryStatus['pressure'] {
    return this.#views.pressure();
  }

  /** Why a model can never be loaded on this machine; null when it may be, or its size is not known yet. */
  standing(backend: BackendId, model: string, tokens: number): Reason | null {
    const view = this.#views.now();
    if (!view || !this.#options.isHere(backend)) return null;
    const needs = this.#options.needs[backend].known(model);
    const refused = standingRefusal({ backend, needs, tokens, overruled: false }, view.account);
    return refused && ruleReason(refused.rule);
  }

  /**
   * Resolves when the work may take its memory, after what must be unloaded has gone. Where memory cannot be read
   * everything is let in. Rejects with `memory_critical`, whose details say the rule and the bytes, or with the signal's
   * reason.
   * @param onWait told once, before it waits
   */
  async admit(asked: Asked, signal: AbortSignal, onWait: () => void = () => {}): Promise<MemoryGrant> {
    if (!this.#options.isHere(asked.backend)) return { reasons: [], release() {} };
    const wish: MemoryWish = { ...asked, needs: await this.#options.needs[asked.backend].of(asked.model) };
    const since = this.#options.clock.now();
    const evicted = new Set<string>();
    let noted: Ledger['lastDecision'] = null;
    let hasWaited = false;
    try {
      for (;;) {
        signal.throwIfAborted();
        const view = await this.#views.forWork(wish);
        const decision: Decision = view ? decide(wish, view) : { kind: 'admit', promiseBytes: null };
        if (decision.kind === 'admit') return this.#grant(wish, decision.promiseBytes);
        noted = this.#decisions.note(decision, wish);
        if (decision.kind === 'refuse') throw refusal(decision, wish);
        if (decision.kind === 'evict') {
          const models = decision.models.filter(({ model }) => !evicted.has(model));
          for (const { model } of models) evicted.add(model);
          if (await this.#evict(models, wish.model, signal)) continue;
          if (wish.mayMove) throw refusal(decision, wish);
        }
        const waited = this.#options.clock.now() - since;
        if (waited >= waitLimitMs(decision.rule)) return this.#afterWait(decision, wish);
        if (!hasWaited) onWait();
        hasWaited = true;
        await this.#wait(decision, wish, signal);
      }
    } finally {
      this.#decisions.endWait(noted);
    }
  }

  /**
   * Resolves when a server may be started: memory is not critical, and for one that died of memory its processes are
   * gone and the model that it comes back with fits (`model`; null = none, or it did not die of memory). A model that
   * could never fit is not waited for. Has no ceiling of its own: whoever waits says how long it takes. Rejects with the
   * signal's reason.
   */
  async back(backend: BackendId, model: string | null, signal: AbortSignal): Promise<void> {
    const { needs } = this.#options;
    const wish = model === null ? null : bareLoad('restart', backend, model, await needs[backend].of(model));
    for (;;) {
      signal.throwIfAborted();
      const view = await this.#views.fresh();
      if (!view) return;
      const fits = !wish || standingRefusal(wish, view.account) ? null : decide(wish, view);
      const gone = !wish || (heldBytes(view.account.ledger, backend) ?? 0) === 0;
      if (gone && !view.critical && (fits === null || fits.kind === 'admit')) return;
      if (fits?.kind === 'evict') await this.#evict(fits.models, model ?? '', signal);
      await sleep(this.#options.clock, AGAIN_MS, signal);
    }
  }

  /** May this model be loaded before anybody asks for it? Says so in the ledger when not. */
  async mayPreload(backend: BackendId, model: string): Promise<boolean> {
    this.#preloads.delete(backend);
    const needs = await this.#options.needs[backend].of(model);
    const view = await this.#views.fresh();
    const decision = view && decide(bareLoad('preload', backend, model, needs), view);
    if (decision && decision.kind !== 'admit') {
      this.#decisions.note(decision, { backend, model });
      return false;
    }
    this.#preloads.add(backend);
    return true;
  }

  /** Has a preload that is under way to be given up? Says so once for each that was let in. */
  mustStopPreload(backend: BackendId): boolean {
    const view = this.#views.now();
    return view !== null && mustStopPreload(view.account) && this.#preloads.delete(backend);
  }

  /** What waits for another one's answer is kept free for it, lest the next answer takes it: once for each model. */
  async #wait({ rule, neededBytes }: Waiting, wish: MemoryWish, signal: AbortSignal): Promise<void> {
    const giveUp = rule === 'protect' ? this.#views.promises.reserve(wish, neededBytes) : null;
    try {
      await sleep(this.#options.clock, AGAIN_MS, signal);
    } finally {
      giveUp?.();
    }
  }

  #afterWait(decision: Waiting, wish: MemoryWish): MemoryGrant {
    // It waited for somebody else's sake, and the other one has had its time.
    if (decision.rule === 'protect') return this.#grant(wish, decision.neededBytes);
    this.#decisions.note({ ...decision, kind: 'refuse' }, wish);
    throw refusal(decision, wish);
  }

  #grant(wish: MemoryWish, bytes: number | null): MemoryGrant {
    const { backend, model } = wish;
    const release = this.#views.promises.begin(wish, bytes);
    return { reasons: this.#evictions.take(backend, model) ? ['memory:evicted'] : [], release };
  }

  async #evict(models: readonly Evicted[], forModel: string, signal: AbortSignal): Promise<boolean> {
    const freed = await this.#evictions.evict(models, forModel, signal);
    await this.#options.machine.sampleNow();
    return freed;
  }

  #onSample(status: MemoryStatus | null): void {
    this.#views.sampled(status);
    const view = this.#views.now();
    if (view) void this.#relieve(view);
  }

  async #relieve(view: GuardView): Promise<void> {
    const models = relief(view);
    if (this.#relieving || models.length === 0) return;
    this.#relieving = true;
    const [first] = models;
    const decision = { kind: 'evict', rule: 'critical', neededBytes: null, freeBytes: null } as const;
    if (first) this.#decisions.note(decision, first);
    await this.#evict(models, '', NOBODY).catch(() => false);
    this.#relieving = false;
  }
}

/** A load without a prompt: nobody waits for its answer. */
function bareLoad(
  purpose: 'preload' | 'restart',
  backend: BackendId,
  model: string,
  needs: ModelNeeds,
): MemoryWish {
  return { purpose, backend, model, needs, tokens: 0, expectedS: null, mayMove: false, overruled: false };
}

function waitLimitMs(rule: Waiting['rule']): number {
  return rule === 'busy' || rule === 'protect' ? TURN_LIMIT_MS : WAIT_LIMIT_MS;
}
