import type { BackendId, Reason } from '../../shared/domain';
import type { Ledger, MemoryStatus } from '../../shared/status';
import { type Clock, sleep } from '../ports/clock';
import { Emitter, type Unsubscribe } from '../ports/emitter';
import type { Logger } from '../ports/logger';
import { Evictions } from './evictions';
import {
  type Decision,
  decide,
  type Evicted,
  type GuardView,
  isComing,
  isLoaded,
  type MemoryWish,
  mustStopPreload,
  relief,
  standingRefusal,
} from './guard';
import { accountOf, heldBytes, type Promised, risingBetween } from './ledger';
import type { ModelNeeds } from './model-needs';
import { nextLatch, type PressureLatch, RELAXED } from './pressure-latch';
import { refusal, ruleReason } from './refusal';
import type { MemoryHolder } from './types';

/** The part of the monitor that the gate needs. */
export interface MachineMemory {
  status(): MemoryStatus | null;
  sampleNow(): Promise<MemoryStatus | null>;
  readonly onSample: (listener: (status: MemoryStatus | null) => void) => Unsubscribe;
}

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
/** A sample as old as this is taken anew before a load is decided. */
const FRESH_MS = 1000;
/** Over less than this, noise looks like a fast rise. */
const RATE_OVER_MS = 1000;
/** Figures older than this say nothing of now: three samples have failed. */
const BLIND_AFTER_MS = 15_000;
/** Work that nobody else can do waits so long for memory before it is refused. */
const WAIT_LIMIT_MS = 30_000;
/** So long one waits for another's answer or load. */
const TURN_LIMIT_MS = 120_000;
/** Of memory, below the warning. */
const PLENTY_SHARE = 0.1;
/** What is done for nobody's sake is not cancelled. */
const NOBODY = new AbortController().signal;
/** A decision is shown for this long. */
const REMEMBER_MS = 600_000;

/** Carries out what `guard.ts` decides: waits, asks for unloading, keeps what is promised, refuses with a reason. */
export class MemoryGate {
  /** The ledger may have changed. */
  readonly onChange: (listener: () => void) => Unsubscribe;
  readonly #changed = new Emitter<void>();
  readonly #options: MemoryGateOptions;
  readonly #logger: Logger;
  readonly #promised = new Set<Promised>();
  readonly #evictions: Evictions;
  readonly #preloads = new Set<BackendId>();
  readonly #unsubscribe: Unsubscribe;
  #latch: PressureLatch = RELAXED;
  /**
   * The sample that the next one is compared with, to tell how fast memory fills; and what loads had to bring then,
   * with those that have begun since.
   */
  #base: { status: MemoryStatus; at: number; loadingBytes: number } | null = null;
  /** `Clock.now` of the last sample that did not fail: a date that is set makes it no older. */
  #sampledAt = Number.NEGATIVE_INFINITY;
  #rising = 0;
  #lastDecision: Ledger['lastDecision'] = null;
  #relieving = false;

  constructor(options: MemoryGateOptions) {
    this.#options = options;
    this.#logger = options.logger.child('memory');
    this.#evictions = new Evictions(options.holders, options.clock, this.#logger);
    this.onChange = this.#changed.subscribe;
    this.#unsubscribe = options.machine.onSample((status) => this.#onSample(status));
  }

  close(): void {
    this.#unsubscribe();
  }

  /** Null while memory cannot be read. */
  ledger(): Ledger | null {
    return this.#view()?.account.ledger ?? null;
  }

  /** Pressure with hysteresis: critical until memory has really come back; unknown while it cannot be read. */
  pressure(): MemoryStatus['pressure'] {
    if (this.#sampleAgeMs() > BLIND_AFTER_MS) return 'unknown';
    return this.#latch.critical ? 'critical' : (this.#options.machine.status()?.pressure ?? 'unknown');
  }

  /** Why a model can never be loaded on this machine; null when it may be, or its size is not known yet. */
  standing(backend: BackendId, model: string, tokens: number): Reason | null {
    const view = this.#view();
    if (!view || !this.#options.isHere(backend)) return null;
    const needs = this.#options.needs[backend].known(model);
    const refused = standingRefusal({ backend, needs, tokens, overruled: false }, view.account);
    return refused && ruleReason(refused.rule);
  }

  /**
   * Resolves when the work may take its memory, after what must be unloaded has gone. Where memory cannot be read
   * everything is let in. Rejects with `memory_critical`, whose details say the rule and the bytes, or with the signal's
   * reason.
   */
  async admit(asked: Asked, signal: AbortSignal): Promise<MemoryGrant> {
    if (!this.#options.isHere(asked.backend)) return { reasons: [], release() {} };
    const wish: MemoryWish = { ...asked, needs: await this.#options.needs[asked.backend].of(asked.model) };
    const since = this.#options.clock.now();
    const evicted = new Set<string>();
    let noted: Ledger['lastDecision'] = null;
    try {
      for (;;) {
        signal.throwIfAborted();
        const view = await this.#viewFor(wish);
        const decision: Decision = view ? decide(wish, view) : { kind: 'admit', promiseBytes: null };
        if (decision.kind === 'admit') return this.#grant(wish, decision.promiseBytes);
        noted = this.#note(decision, wish);
        if (decision.kind === 'refuse') throw refusal(decision, wish);
        if (decision.kind === 'evict') {
          const models = decision.models.filter(({ model }) => !evicted.has(model));
          for (const { model } of models) evicted.add(model);
          if (await this.#evict(models, wish.model, signal)) continue;
          if (wish.mayMove) throw refusal(decision, wish);
        }
        const waited = this.#options.clock.now() - since;
        if (waited >= waitLimitMs(decision.rule)) return this.#afterWait(decision, wish);
        await this.#wait(decision, wish, signal);
      }
    } finally {
      this.#endWait(noted);
    }
  }

  /**
   * Resolves when a server may be started: memory is not critical, and for one that died of memory its processes are
   * gone and the model that it comes back with fits (`model`; null = none, or it did not die of memory). A model that
   * could never fit is not waited for. Has no ceiling of its own: whoever waits says how long it takes. Rejects with the
   * signal's reason.
   */
  async back(backend: BackendId, model: string | null, signal: AbortSignal): Promise<void> {
    const needs = model === null ? null : await this.#options.needs[backend].of(model);
    const asked = {
      backend,
      model: model ?? '',
      purpose: 'restart',
      tokens: 0,
      expectedS: null,
      mayMove: false,
    } as const;
    const wish: MemoryWish | null = needs && { ...asked, needs, overruled: false };
    for (;;) {
      signal.throwIfAborted();
      const view = await this.#freshView();
      if (!view) return;
      const fits = !wish || standingRefusal(wish, view.account) ? null : decide(wish, view);
      const gone = !wish || (heldBytes(view.account.ledger, backend) ?? 0) === 0;
      if (gone && !view.critical && (fits === null || fits.kind === 'admit')) return;
      if (fits?.kind === 'evict') await this.#evict(fits.models, asked.model, signal);
      await sleep(this.#options.clock, AGAIN_MS, signal);
    }
  }

  /** May this model be loaded before anybody asks for it? Says so in the ledger when not. */
  async mayPreload(backend: BackendId, model: string): Promise<boolean> {
    this.#preloads.delete(backend);
    const needs = await this.#options.needs[backend].of(model);
    const view = await this.#freshView();
    const asked = {
      backend,
      model,
      needs,
      purpose: 'preload',
      tokens: 0,
      expectedS: null,
      mayMove: false,
    } as const;
    const decision = view && decide({ ...asked, overruled: false }, view);
    if (decision && decision.kind !== 'admit') {
      this.#note(decision, { backend, model });
      return false;
    }
    this.#preloads.add(backend);
    return true;
  }

  /** Has a preload that is under way to be given up? Says so once for each that was let in. */
  mustStopPreload(backend: BackendId): boolean {
    const view = this.#view();
    return view !== null && mustStopPreload(view.account) && this.#preloads.delete(backend);
  }

  /** What waits for another one's answer is kept free for it, lest the next answer takes it: once for each model. */
  async #wait({ rule, neededBytes }: Waiting, wish: MemoryWish, signal: AbortSignal): Promise<void> {
    const others = [...this.#promised].some((promise) => isReserved(promise, wish));
    const reserved = rule === 'protect' && !others ? this.#promise(wish, neededBytes, false) : null;
    try {
      await sleep(this.#options.clock, AGAIN_MS, signal);
    } finally {
      if (reserved) this.#promised.delete(reserved);
    }
  }

  #afterWait(decision: Waiting, wish: MemoryWish): MemoryGrant {
    // It waited for somebody else's sake, and the other one has had its time.
    if (decision.rule === 'protect') return this.#grant(wish, decision.neededBytes);
    this.#note({ ...decision, kind: 'refuse' }, wish);
    throw refusal(decision, wish);
  }

  /** @param begins the work begins now; else it waits, and nothing that comes is its */
  #promise({ backend, model }: MemoryWish, bytes: number | null, begins: boolean): Promised {
    const view = this.#view();
    const joins = view !== null && isComing({ backend, model }, view.account);
    const load = !joins && (!view || !isLoaded({ backend, model }, view.account));
    // While another's load brings the model, growth of the processes is not of this one's cache.
    const heldBefore = begins && !joins ? this.#options.holders[backend].figures().process.bytes : null;
    const usedBefore = begins && view ? view.account.ledger.usedBytes : null;
    const promise: Promised = { backend, model, bytes, load, heldBefore, usedBefore, at: this.#wall() };
    this.#promised.add(promise);
    if (this.#base && load && begins) this.#base.loadingBytes += bytes ?? 0;
    this.#changed.emit();
    return promise;
  }

  #grant(wish: MemoryWish, bytes: number | null): MemoryGrant {
    const { backend, model } = wish;
    const promise = this.#promise(wish, bytes, true);
    return {
      reasons: this.#evictions.take(backend, model) ? ['memory:evicted'] : [],
      release: () => this.#release(promise),
    };
  }

  #release(promise: Promised): void {
    const before = promise.load ? this.#loadingBytes() : 0;
    if (!this.#promised.delete(promise)) return;
    if (promise.load) this.#handOver(promise);
    // What it had still to bring has not come, and is not taken off a rise as if it had.
    if (this.#base && promise.load) this.#base.loadingBytes -= before - this.#loadingBytes();
    this.#changed.emit();
  }

  /** A load goes on for those who wait for the same model: one of them takes over what is promised to it. */
  #handOver({ backend, model, bytes, heldBefore, usedBefore, at }: Promised): void {
    const view = this.#view();
    if (view && isLoaded({ backend, model }, view.account)) return;
    const heir = [...this.#promised].find((other) => !other.load && isFor(other, { backend, model }));
    if (!heir) return;
    const both = bytes === null || heir.bytes === null ? null : bytes + heir.bytes;
    Object.assign(heir, { bytes: both, load: true, heldBefore, usedBefore, at });
  }

  #loadingBytes(): number {
    return this.#view()?.account.loadingBytes ?? 0;
  }

  async #evict(models: readonly Evicted[], forModel: string, signal: AbortSignal): Promise<boolean> {
    const freed = await this.#evictions.evict(models, forModel, signal);
    await this.#options.machine.sampleNow();
    return freed;
  }

  #onSample(status: MemoryStatus | null): void {
    if (status && status.pressure !== 'unknown') {
      this.#sampledAt = this.#options.clock.now();
      this.#latch = nextLatch(this.#latch, status);
      this.#measureRise(status);
    }
    const view = this.#view();
    if (view && this.#latch.critical) void this.#relieve(view);
  }

  #measureRise(status: MemoryStatus): void {
    const at = this.#options.clock.now();
    const base = this.#base;
    if (base && at - base.at < RATE_OVER_MS) return;
    const loadingBytes = this.#loadingBytes();
    const arrived = base ? base.loadingBytes - loadingBytes : 0;
    this.#rising = base ? risingBetween(base.status, status, (at - base.at) / 1000, arrived) : 0;
    this.#base = { status, at, loadingBytes };
  }

  async #relieve(view: GuardView): Promise<void> {
    const models = relief(view);
    if (this.#relieving || models.length === 0) return;
    this.#relieving = true;
    const [first] = models;
    if (first) this.#note({ kind: 'evict', rule: 'critical', neededBytes: null, freeBytes: null }, first);
    await this.#evict(models, '', NOBODY).catch(() => false);
    this.#relieving = false;
  }

  /** An answer of a model that is loaded, while memory is plenty, is not kept waiting for a sample. */
  #viewFor(wish: MemoryWish): Promise<GuardView | null> | GuardView {
    const seen = this.#view(wish);
    return seen && isLoaded(wish, seen.account) && hasPlenty(seen) ? seen : this.#freshView(wish);
  }

  async #freshView(wish?: MemoryWish): Promise<GuardView | null> {
    if (this.#sampleAgeMs() >= FRESH_MS) await this.#options.machine.sampleNow();
    return this.#view(wish);
  }

  /** @param wish what is kept free for its model is there for it, whoever asked first */
  #view(wish?: MemoryWish): GuardView | null {
    const { machine, holders } = this.#options;
    const status = machine.status();
    if (!status || this.#sampleAgeMs() > BLIND_AFTER_MS) return null;
    const figures = (Object.keys(holders) as BackendId[]).map((backend) => ({
      backend,
      figures: holders[backend].figures(),
      loaded: holders[backend].loaded(),
    }));
    const last = this.#lastDecision;
    const recent = last && this.#wall() - last.at < REMEMBER_MS ? last : null;
    const promised = [...this.#promised].filter((promise) => !wish || !isReserved(promise, wish));
    const account = accountOf(status, figures, promised, {
      pressure: this.pressure(),
      lastDecision: recent,
      risingBytesPerS: this.#rising,
    });
    return { account, critical: this.#latch.critical, now: this.#options.clock.now() };
  }

  #note(
    decision: Pick<Exclude<Decision, { kind: 'admit' }>, 'kind' | 'rule' | 'neededBytes' | 'freeBytes'>,
    { backend, model }: { backend: BackendId; model: string },
  ): Ledger['lastDecision'] {
    const { kind, rule, neededBytes, freeBytes } = decision;
    if (this.#lastDecision?.kind !== kind || this.#lastDecision.model !== model) {
      this.#logger.info('memory.decision', { kind, rule, backend, model, neededBytes, freeBytes });
    }
    this.#lastDecision = { at: this.#wall(), kind, backend, model, rule, neededBytes, freeBytes };
    this.#changed.emit();
    return this.#lastDecision;
  }

  /** Nobody waits any more: a wait that is over is not shown as if it went on. */
  #endWait(noted: Ledger['lastDecision']): void {
    if (noted?.kind !== 'wait' || this.#lastDecision !== noted) return;
    this.#lastDecision = null;
    this.#changed.emit();
  }

  #sampleAgeMs(): number {
    return this.#options.clock.now() - this.#sampledAt;
  }

  #wall(): number {
    return this.#options.clock.wall().getTime();
  }
}

function isFor(promise: Promised, { backend, model }: { backend: BackendId; model: string }): boolean {
  return promise.backend === backend && promise.model === model;
}

/** Is it kept free for a load of this model that has not begun? */
function isReserved(promise: Promised, wish: MemoryWish): boolean {
  return promise.load && promise.usedBefore === null && isFor(promise, wish);
}

function waitLimitMs(rule: Waiting['rule']): number {
  return rule === 'busy' || rule === 'protect' ? TURN_LIMIT_MS : WAIT_LIMIT_MS;
}

/** Far from the warning, so that a sample some seconds old says enough. */
function hasPlenty({ account: { ledger }, critical }: GuardView): boolean {
  return !critical && ledger.usedBytes < ledger.warningBytes - ledger.totalBytes * PLENTY_SHARE;
}
