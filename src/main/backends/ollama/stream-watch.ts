import type { Clock } from '../../ports/clock';
import { type Pulse, progressed } from './runners';

/** What a silence was found to mean. */
export type Verdict =
  /** The model's process does not move, or has given nothing for too long. */
  | 'stalled'
  /** Nothing has come in the time for load and prompt from a server whose processes cannot be seen. */
  | 'load-timeout'
  /** A load goes on in which no process is left: Ollama waits for it until its client leaves. */
  | 'load-died';

export interface StreamWatchOptions {
  clock: Clock;
  /** How often a silent stream is looked at, ms. */
  everyMs: number;
  /** From sending the request to its first frame, ms. */
  firstMs: number;
  /** Between two frames without progress of a process that can be seen, ms. */
  stallMs: number;
  /** Without progress in a load or a prompt, or without a frame where no process can be seen, ms. */
  unprovenMs: number;
  /** Between two frames whatever the processes do, ms. */
  silentMs: number;
  /** Before the first frame without any model process, ms. */
  noRunnerMs: number;
  /** How the model processes get on; null where they cannot be seen. */
  pulse(): Promise<Pulse | null>;
  /** Has the server the model in memory? Then the request waits its turn there, or is computed. */
  isLoaded(): Promise<boolean>;
}

/** Looks without a frame before the processes are looked at too: the first may come right after one. */
const QUIET_LOOKS = 2;

/**
 * Judges the silence of one stream. Time is counted in looks, so that the sleep of the machine is no silence. A process
 * that computes is no hang, however long its prompt: the request's own limit ends that.
 */
export class StreamWatch {
  readonly #options: StreamWatchOptions;
  readonly #cut = new AbortController();
  readonly #stop: () => void;
  #first = true;
  #waiting = true;
  #frames = 0;
  #quiet = 0;
  #still = 0;
  #without = 0;
  #pulse: Pulse | null = null;
  #verdict: Verdict | null = null;
  #looking = false;

  constructor(options: StreamWatchOptions) {
    this.#options = options;
    this.#stop = options.clock.every(options.everyMs, () => void this.#look());
  }

  /** Aborts when the stream is to be cut. */
  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  /** Why it was cut; null while it was not. */
  get verdict(): Verdict | null {
    return this.#verdict;
  }

  /** A frame has come; until `wait` its reader is the slow one. */
  frame(): void {
    this.#waiting = false;
    this.#first = false;
    this.#frames += 1;
  }

  wait(): void {
    this.#waiting = true;
    this.#quiet = 0;
    this.#still = 0;
    this.#without = 0;
    this.#pulse = null;
  }

  stop(): void {
    this.#stop();
  }

  async #look(): Promise<void> {
    if (!this.#waiting || this.#verdict) return;
    this.#quiet += 1;
    if (this.#quiet < QUIET_LOOKS || this.#looking) return;
    const frames = this.#frames;
    this.#looking = true;
    const pulse = await this.#options.pulse().catch(() => null);
    const lost = pulse === null && this.#first && (await this.#isLost());
    this.#looking = false;
    if (!this.#waiting || frames !== this.#frames || this.#verdict) return;
    if (pulse) this.#compare(pulse);
    this.#verdict = this.#first ? this.#judgeFirst(pulse, lost) : this.#judgeNext(pulse);
    if (!this.#verdict) return;
    this.#stop();
    this.#cut.abort();
  }

  #compare(pulse: Pulse): void {
    this.#still = this.#pulse && !progressed(this.#pulse, pulse) ? this.#still + 1 : 0;
    this.#without = pulse.length === 0 ? this.#without + 1 : 0;
    this.#pulse = pulse;
  }

  async #isLost(): Promise<boolean> {
    const { firstMs, isLoaded } = this.#options;
    return this.#ms(this.#quiet) >= firstMs && !(await isLoaded().catch(() => false));
  }

  #judgeFirst(pulse: Pulse | null, lost: boolean): Verdict | null {
    const { unprovenMs, noRunnerMs } = this.#options;
    if (pulse === null) return lost ? 'load-timeout' : null;
    if (this.#ms(this.#without) >= noRunnerMs) return 'load-died';
    return pulse.length > 0 && this.#ms(this.#still) >= unprovenMs ? 'stalled' : null;
  }

  #judgeNext(pulse: Pulse | null): Verdict | null {
    const { stallMs, unprovenMs, silentMs } = this.#options;
    const silence = this.#ms(this.#quiet);
    const stalled = pulse === null ? silence >= unprovenMs : this.#ms(this.#still) >= stallMs;
    return stalled || silence >= silentMs ? 'stalled' : null;
  }

  #ms(looks: number): number {
    return looks * this.#options.everyMs;
  }
}
