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

/** Source of a model's size. */
export interface NeedsSource {
  /** Called before the model is loaded. Never rejects. */
  of(model: string): Promise<ModelNeeds>;
  /** What is known without waiting. */
  known(model: string): ModelNeeds;
}

export interface MemoryGateOptions {
  machine: MachineMemory;
  holders: ReadonlyMap<BackendId, MemoryHolder>;
  needs(backend: BackendId): NeedsSource;
  /** Does this server use the memory of this machine? */
  isHere(backend: BackendId): boolean;
  clock: Clock;
  logger: Logger;
}

export type Asked = Omit<MemoryWish, 'needs'>;

/** Permission to take memory; the caller releases it when the work has ended. */
export interface MemoryGrant {
  reasons: Reason[];
  release(): void;
}

type Waiting = Exclude<Decision, { kind: 'admit' | 'refuse' }>;

/** A waiting decision is made again at this interval. */
const AGAIN_MS = 1000;
/** Work that has no other candidate waits this long for memory before it is refused. */
const WAIT_LIMIT_MS = 30_000;
/** Longest wait for an answer or load of another model. */
const TURN_LIMIT_MS = 120_000;
/** Relief evictions belong to no request, so nothing cancels them. */
const NOBODY = new AbortController().signal;

/** Carries out what `guard.ts` decides: waits, asks for unloading, promises admitted bytes, refuses with a reason. */
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

  /** The ledger after a sample at most 1 s old; null while memory cannot be read. Never rejects. */
  async freshLedger(): Promise<Ledger | null> {
    return (await this.#views.fresh())?.account.ledger ?? null;
  }

  /** Pressure with hysteresis: critical until memory has recovered; unknown while it cannot be read. */
  pressure(): MemoryStatus['pressure'] {
    return this.#views.pressure();
  }

  /** Why a model can never be loaded on this machine; null if it may be, or its size is not known yet. */
  standing(backend: BackendId, model: string, tokens: number): Reason | null {
    const view = this.#views.now();
    if (!view || !this.#options.isHere(backend)) return null;
    const needs = this.#options.needs(backend).known(model);
    const refused = standingRefusal({ backend, needs, tokens, overruled: false }, view.account);
    return refused && ruleReason(refused.rule);
  }

  /**
   * Resolves when the work may take its memory, after evictions have finished. Admits all work while memory cannot be
   * read. Rejects with `memory_critical`, whose details give the rule and the bytes, or with the signal's reason.
   * @param onWait called once, before the first wait
   */
  async admit(asked: Asked, signal: AbortSignal, onWait: () => void = () => {}): Promise<MemoryGrant> {
    if (!this.#options.isHere(asked.backend)) return { reasons: [], release() {} };
    const wish: MemoryWish = { ...asked, needs: await this.#options.needs(asked.backend).of(asked.model) };
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
   * Resolves when a server may start. Memory must not be critical. After a death of memory the server's processes must
   * also be gone, and the model it restarts with must fit (`model`; null = none, or another cause of death); a model
   * that can never fit is not waited for. Has no timeout: the caller sets one. Rejects with the signal's reason.
   */
  async back(backend: BackendId, model: string | null, signal: AbortSignal): Promise<void> {
    const wish =
      model === null
        ? null
        : bareLoad('restart', backend, model, await this.#options.needs(backend).of(model));
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

  /** May this model be loaded before any request needs it? Notes a refusal in the ledger. */
  async mayPreload(backend: BackendId, model: string): Promise<boolean> {
    this.#preloads.delete(backend);
    const needs = await this.#options.needs(backend).of(model);
    const view = await this.#views.fresh();
    const decision = view && decide(bareLoad('preload', backend, model, needs), view);
    if (decision && decision.kind !== 'admit') {
      this.#decisions.note(decision, { backend, model });
      return false;
    }
    this.#preloads.add(backend);
    return true;
  }

  /** Must a running preload stop? True only once for each admitted preload. */
  mustStopPreload(backend: BackendId): boolean {
    const view = this.#views.now();
    return view !== null && mustStopPreload(view.account) && this.#preloads.delete(backend);
  }

  /** Work that waits `protect` reserves its bytes, once for each model, so that the next answer does not take them. */
  async #wait({ rule, neededBytes }: Waiting, wish: MemoryWish, signal: AbortSignal): Promise<void> {
    const giveUp = rule === 'protect' ? this.#views.promises.reserve(wish, neededBytes) : null;
    try {
      await sleep(this.#options.clock, AGAIN_MS, signal);
    } finally {
      giveUp?.();
    }
  }

  #afterWait(decision: Waiting, wish: MemoryWish): MemoryGrant {
    // It waited to protect another server's answer; after two minutes it goes ahead.
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

/** A load without a prompt: no request waits for its answer. */
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
