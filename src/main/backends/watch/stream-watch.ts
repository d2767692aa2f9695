import type { Clock } from '../../ports/clock';
import { type Pulse, progressed } from './pulse';

/** Verdict on a silence. */
export type Verdict =
  /** The model's process is stuck, or has sent nothing for too long. */
  | 'stalled'
  /** Nothing arrived in the time for load and prompt, from a server whose processes cannot be observed. */
  | 'load-timeout'
  /** A load continues without any process: Ollama waits for it until its client disconnects. */
  | 'load-died';

export interface StreamWatchOptions {
  clock: Clock;
  /** Interval of checking a silent stream, ms. */
  everyMs: number;
  /** From sending the request to its first frame, ms. */
  firstMs: number;
  /** Between two frames without progress of a process that can be observed, ms. */
  stallMs: number;
  /** Without progress during a load or a prompt, or without a frame if no process can be observed, ms. */
  unprovenMs: number;
  /** Between two frames whatever the processes do, ms. */
  silentMs: number;
  /** Before the first frame without any model process, ms. */
  noRunnerMs: number;
  /** State of the model processes; null if they cannot be observed. */
  pulse(): Promise<Pulse | null>;
  /** Is the model in the server's memory? Then the request is queued there, or being computed. */
  isLoaded(): Promise<boolean>;
}

/** Checks without a frame before the processes are checked too: the first may come right after a frame. */
const QUIET_LOOKS = 2;

/**
 * Judges the silence of one stream. Time is counted in checks, so the sleep of the machine does not count. Before the
 * first frame a computing process is never a hang, however long its prompt: only the request's own limit ends that.
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

  /** Aborts when the stream must be cut. */
  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  /** Why the stream was cut; null if it was not. */
  get verdict(): Verdict | null {
    return this.#verdict;
  }

  /** A frame has arrived; until `wait` is called, its reader is the slow side. */
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
