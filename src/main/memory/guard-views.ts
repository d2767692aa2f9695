import type { BackendId } from '../../shared/domain';
import type { Ledger, MemoryStatus } from '../../shared/status';
import type { Clock } from '../ports/clock';
import type { Unsubscribe } from '../ports/emitter';
import type { GuardView, MemoryWish } from './decision';
import { isLoaded } from './guard';
import { ledgerAccount } from './ledger';
import { nextLatch, type PressureLatch, RELAXED } from './pressure-latch';
import { Promises } from './promises';
import { RiseMeter } from './rise-meter';
import type { MemoryHolder } from './types';

/** The part of the monitor that the gate needs. */
export interface MachineMemory {
  status(): MemoryStatus | null;
  sampleNow(): Promise<MemoryStatus | null>;
  readonly onSample: (listener: (status: MemoryStatus | null) => void) => Unsubscribe;
}

export interface GuardViewsOptions {
  machine: MachineMemory;
  holders: Readonly<Record<BackendId, MemoryHolder>>;
  clock: Clock;
  /** Shown in the ledger. */
  lastDecision(): Ledger['lastDecision'];
  /** The ledger may have changed. */
  changed(): void;
}

/** A sample as old as this is taken anew before a load is decided. */
const FRESH_MS = 1000;
/** Figures older than this say nothing of now: three samples have failed. */
const BLIND_AFTER_MS = 15_000;
/** Of memory, below the warning. */
const PLENTY_SHARE = 0.1;

/** Puts together what the guard sees: the machine's samples over time, the servers' figures, and what is promised. */
export class GuardViews {
  readonly promises: Promises;
  readonly #options: GuardViewsOptions;
  readonly #rise = new RiseMeter();
  #latch: PressureLatch = RELAXED;
  /** `Clock.now` of the last sample that did not fail: a date that is set makes it no older. */
  #sampledAt = Number.NEGATIVE_INFINITY;

  constructor(options: GuardViewsOptions) {
    const { holders, clock, changed } = options;
    this.#options = options;
    const account = () => this.now()?.account ?? null;
    this.promises = new Promises({ holders, clock, rise: this.#rise, account, changed });
  }

  /** To be told of each sample, also of one that failed. */
  sampled(status: MemoryStatus | null): void {
    if (!status || status.pressure === 'unknown') return;
    this.#sampledAt = this.#options.clock.now();
    this.#latch = nextLatch(this.#latch, status);
    this.#rise.sample(status, this.#sampledAt, this.now()?.account.loadingBytes ?? 0);
  }

  /** Pressure with hysteresis: critical until memory has really come back; unknown while it cannot be read. */
  pressure(): MemoryStatus['pressure'] {
    if (this.#sampleAgeMs() > BLIND_AFTER_MS) return 'unknown';
    return this.#latch.critical ? 'critical' : (this.#options.machine.status()?.pressure ?? 'unknown');
  }

  /**
   * From what is known at once; null while memory cannot be read.
   * @param wish what is kept free for its model is there for it, whoever asked first
   */
  now(wish?: MemoryWish): GuardView | null {
    const { machine, holders, clock } = this.#options;
    const status = machine.status();
    if (!status || this.#sampleAgeMs() > BLIND_AFTER_MS) return null;
    const figures = (Object.keys(holders) as BackendId[]).map((backend) => ({
      backend,
      figures: holders[backend].figures(),
      loaded: holders[backend].loaded(),
    }));
    const account = ledgerAccount(status, figures, this.promises.all(wish), {
      pressure: this.pressure(),
      lastDecision: this.#options.lastDecision(),
      risingBytesPerS: this.#rise.bytesPerS(),
    });
    return { account, critical: this.#latch.critical, now: clock.now() };
  }

  /** As `now`, with a sample of this second. */
  async fresh(wish?: MemoryWish): Promise<GuardView | null> {
    if (this.#sampleAgeMs() >= FRESH_MS) await this.#options.machine.sampleNow();
    return this.now(wish);
  }

  /** An answer of a model that is loaded, while memory is plenty, is not kept waiting for a sample. */
  forWork(wish: MemoryWish): Promise<GuardView | null> | GuardView {
    const seen = this.now(wish);
    return seen && isLoaded(wish, seen.account) && hasPlenty(seen) ? seen : this.fresh(wish);
  }

  #sampleAgeMs(): number {
    return this.#options.clock.now() - this.#sampledAt;
  }
}

/** Far from the warning, so that a sample some seconds old says enough. */
function hasPlenty({ account: { ledger }, critical }: GuardView): boolean {
  return !critical && ledger.usedBytes < ledger.warningBytes - ledger.totalBytes * PLENTY_SHARE;
}
