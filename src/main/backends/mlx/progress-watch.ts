import type { HangLimitsView } from '../../../shared/incidents';
import type { HangLimits } from './hang-limits';
import type { MemEvent } from './launcher-events';

/** Kinds of hang. */
export type Hang =
  /** The launcher writes nothing, although its thread does nothing else: the whole process is stuck. */
  | 'silent'
  /** One step, or the work between two steps, does not end. */
  | 'step'
  | 'load'
  /** The process lives, but a request of ours makes no progress: not reported, or lost. */
  | 'no_progress'
  /** The server computes, or has finished, but nothing of it arrives. */
  | 'no_frames';

/** Pending work, seen from our side of the connections. */
export interface Work {
  /** Requests that the server has not finished, with or without a caller. */
  unfinished: number;
  /** Those whose callers wait for bytes; the others wait for a caller that reads slowly. */
  awaiting: number;
  /** Start of the longest wait for a frame of a request that the server computes; null = none waits. */
  quietSince: number | null;
  /** The same for a request that is fully computed. */
  completeSince: number | null;
}

/** Lines come once a second, so their figures may be this old, including those of the line before. */
const LINE_AGE_MS = 3_000;
/** Frames are held back while they may be part of a stop word or a character; that lasts some steps, not seconds. */
const QUIET_STEPS = 3;

/**
 * Distinguishes a hung server from a slow one by its token progress: `/health` answers even when generation is dead,
 * and a slow model still takes steps. Called regularly while a request waits; all times are ms of one monotonic clock.
 */
export class ProgressWatch {
  readonly #limits: HangLimits;
  #lineAt = 0;
  #progressAt = 0;
  #watching = false;
  #figures: MemEvent | null = null;

  constructor(limits: HangLimits) {
    this.#limits = limits;
  }

  /** A new process has started. */
  reset(): void {
    this.#watching = false;
    this.#figures = null;
  }

  /** Call for any line of the launcher. `moved` = it reports progress of a request. */
  onLine(now: number, moved: boolean): void {
    this.#lineAt = now;
    if (moved) this.#progressAt = now;
  }

  onFigures(figures: MemEvent, now: number): void {
    const before = this.#figures;
    this.#figures = figures;
    const busy = figures.loading > 0 || figures.doing === 'preparing';
    this.onLine(now, busy || before === null || figures.steps !== before.steps);
  }

  /** A part of an answer has arrived. */
  onFrame(now: number): void {
    this.#progressAt = now;
  }

  /** Work has arrived, or this program was paused: earlier times do not count. */
  restart(now: number): void {
    this.#watching = true;
    this.#lineAt = now;
    this.#progressAt = now;
  }

  /** No request waits any more. */
  rest(): void {
    this.#watching = false;
  }

  /** Ms that work for callers who left may continue; a load may finish, so that nobody has to repeat it. */
  drainLimitMs({ stepMs }: HangLimitsView): number {
    const { loadMs, preparingMs, drainMs } = this.#limits;
    if (this.#loading) return loadMs;
    return Math.max(drainMs, stepMs, this.#figures?.doing === 'preparing' ? preparingMs : 0);
  }

  /** The kind of hang, or null. */
  hung(now: number, work: Work, { stepMs }: HangLimitsView): Hang | null {
    if (!this.#watching) return null;
    const { silenceMs, loadingSilenceMs, preparingMs, loadMs } = this.#limits;
    const silentMs = work.unfinished > 0 ? now - this.#lineAt : 0;
    if (silentMs > (this.#loading ? loadingSilenceMs : silenceMs)) return 'silent';
    const { stuck, loading, doing } = this.#figures ?? { stuck: 0, loading: 0, doing: 'waiting' };
    if (loading * 1000 > loadMs) return 'load';
    if (this.#loading) return null;
    if (stuck * 1000 > (doing === 'preparing' ? Math.max(stepMs, preparingMs) : stepMs)) return 'step';
    // The server has finished it and only has to write it, which is not a step.
    if (work.completeSince !== null && now - work.completeSince > silenceMs) return 'no_frames';
    if (work.awaiting > 0 && now - this.#progressAt > stepMs + LINE_AGE_MS) return 'no_progress';
    if (work.quietSince !== null && now - work.quietSince > QUIET_STEPS * stepMs) return 'no_frames';
    return null;
  }

  get #loading(): boolean {
    return (this.#figures?.loading ?? 0) > 0;
  }
}
