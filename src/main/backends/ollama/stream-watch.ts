import type { Clock } from '../../ports/clock';
import { type Pulse, progressed } from './runners';

/** What a silence was found to mean. */
export type Verdict =
  /** The model's process does not move, or has given nothing for too long. */
  | 'stalled'
  /** Nothing has come within the time for loading the model and evaluating the prompt. */
  | 'load-timeout'
  /** A load goes on in which no process is left: Ollama waits for it until its client leaves. */
  | 'load-died';

export interface StreamWatchOptions {
  clock: Clock;
  /** How often a silent stream is looked at, ms. */
  everyMs: number;
  /** From sending the request to its first frame, ms. */
  firstMs: number;
  /** Without progress, ms. */
  stallMs: number;
  /** Between two frames whatever the processes do, ms. */
  silentMs: number;
  /** Before the first frame without any model process, ms. */
  noRunnerMs: number;
  /** How the model processes get on; null where they cannot be seen. */
  pulse(): Promise<Pulse | null>;
  /** No other request is computed, so that what the processes do is done for this one. */
  alone(): boolean;
}

/** A process has not computed for this long before it counts as idle: on a busy machine it does not run all the time. */
const AT_WORK_MS = 3000;
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
    this.#looking = false;
    if (!this.#waiting || frames !== this.#frames || this.#verdict) return;
    if (pulse) this.#compare(pulse);
    this.#verdict = this.#first ? this.#judgeFirst(pulse) : this.#judgeNext(pulse);
    if (!this.#verdict) return;
    this.#stop();
    this.#cut.abort();
  }

  #compare(pulse: Pulse): void {
    this.#still = this.#pulse && !progressed(this.#pulse, pulse) ? this.#still + 1 : 0;
    this.#without = pulse.length === 0 ? this.#without + 1 : 0;
    this.#pulse = pulse;
  }

  #judgeFirst(pulse: Pulse | null): Verdict | null {
    const { firstMs, stallMs, noRunnerMs, alone } = this.#options;
    if (this.#ms(this.#without) >= noRunnerMs) return 'load-died';
    if (pulse && pulse.length > 0 && this.#ms(this.#still) >= stallMs) return 'stalled';
    const computing = pulse !== null && this.#ms(this.#still) < AT_WORK_MS && alone();
    return this.#ms(this.#quiet) >= firstMs && !computing ? 'load-timeout' : null;
  }

  #judgeNext(pulse: Pulse | null): Verdict | null {
    const { stallMs, silentMs } = this.#options;
    const silence = this.#ms(this.#quiet);
    const still = pulse === null || this.#ms(this.#still) >= stallMs;
    return (silence >= stallMs && still) || silence >= silentMs ? 'stalled' : null;
  }

  #ms(looks: number): number {
    return looks * this.#options.everyMs;
  }
}
