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
  holders: ReadonlyMap<BackendId, MemoryHolder>;
  clock: Clock;
  /** Shown in the ledger. */
  lastDecision(): Ledger['lastDecision'];
  /** The ledger may have changed. */
  changed(): void;
}

/** Before a load is decided, a sample older than this is replaced by a new one. */
const FRESH_MS = 1000;
/** Older figures count as unknown: three samples have failed. */
const BLIND_AFTER_MS = 15_000;
/** Share of total memory below the warning limit; see `hasPlenty`. */
const PLENTY_SHARE = 0.1;

/** Builds the guard's input from the machine's samples over time, the servers' figures, and the promises. */
export class GuardViews {
  readonly promises: Promises;
  readonly #options: GuardViewsOptions;
  readonly #rise = new RiseMeter();
  #latch: PressureLatch = RELAXED;
  /** `Clock.now` of the last successful sample; changing the date does not affect its age. */
  #sampledAt = Number.NEGATIVE_INFINITY;

  constructor(options: GuardViewsOptions) {
    const { holders, clock, changed } = options;
    this.#options = options;
    const account = () => this.now()?.account ?? null;
    this.promises = new Promises({ holders, clock, rise: this.#rise, account, changed });
  }

  /** Must be called for each sample, including failed ones. */
  sampled(status: MemoryStatus | null): void {
    if (!status || status.pressure === 'unknown') return;
    this.#sampledAt = this.#options.clock.now();
    this.#latch = nextLatch(this.#latch, status);
    this.#rise.sample(status, this.#sampledAt, this.now()?.account.loadingBytes ?? 0);
  }

  /** Pressure with hysteresis: critical until memory has recovered; unknown while it cannot be read. */
  pressure(): MemoryStatus['pressure'] {
    if (this.#sampleAgeMs() > BLIND_AFTER_MS) return 'unknown';
    return this.#latch.critical ? 'critical' : (this.#options.machine.status()?.pressure ?? 'unknown');
  }

  /**
   * From the last sample, without waiting; null while memory cannot be read.
   * @param wish bytes reserved for its model do not count as promised, whichever request reserved them
   */
  now(wish?: MemoryWish): GuardView | null {
    const { machine, holders, clock } = this.#options;
    const status = machine.status();
    if (!status || this.#sampleAgeMs() > BLIND_AFTER_MS) return null;
    const figures = [...holders].map(([backend, holder]) => ({
      backend,
      behaviour: holder.behaviour,
      figures: holder.figures(),
      loaded: holder.loaded(),
    }));
    const account = ledgerAccount(status, figures, this.promises.all(wish), {
      pressure: this.pressure(),
      lastDecision: this.#options.lastDecision(),
      risingBytesPerS: this.#rise.bytesPerS(),
    });
    return { account, critical: this.#latch.critical, now: clock.now() };
  }

  /** Like `now`, with a sample at most 1 s old. */
  async fresh(wish?: MemoryWish): Promise<GuardView | null> {
    if (this.#sampleAgeMs() >= FRESH_MS) await this.#options.machine.sampleNow();
    return this.now(wish);
  }

  /** If the model is loaded and memory is plentiful, the work does not wait for a new sample. */
  forWork(wish: MemoryWish): Promise<GuardView | null> | GuardView {
    const seen = this.now(wish);
    return seen && isLoaded(wish, seen.account) && hasPlenty(seen) ? seen : this.fresh(wish);
  }

  #sampleAgeMs(): number {
    return this.#options.clock.now() - this.#sampledAt;
  }
}

/** Far enough below the warning limit that a sample some seconds old suffices. */
function hasPlenty({ account: { ledger }, critical }: GuardView): boolean {
  return !critical && ledger.usedBytes < ledger.warningBytes - ledger.totalBytes * PLENTY_SHARE;
}
