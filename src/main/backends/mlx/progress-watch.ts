import type { HangLimitsView } from '../../../shared/incidents';
import type { HangLimits } from './hang-limits';
import type { MemEvent } from './launcher-events';

/** How a server is seen to hang. */
export type Hang =
  /** The launcher says nothing, though its thread does nothing else: the whole process stands. */
  | 'silent'
  /** One step, or what lies between two, does not end. */
  | 'step'
  | 'load'
  /** It lives, but a request of ours does not get on: not seen, or lost. */
  | 'no_progress'
  /** It computes, or has computed all, but nothing of it arrives. */
  | 'no_frames';

/** What is waited for, from our side of the connections. */
export interface Work {
  /** Requests whose callers listen. */
  open: number;
  /** Requests that are computed for callers who left. */
  draining: number;
  /** Those of both that the server has not done with. */
  unfinished: number;
  /** Open ones that wait for bytes; the others wait for a caller that is slow to read. */
  awaiting: number;
  /** Since when, at the longest, one that the server computes has waited for a frame; null = none does. */
  quietSince: number | null;
  /** The same for one that it has computed in full. */
  completeSince: number | null;
}

/** Lines come once a second, so that what they tell may be so old, and the one before as well. */
const LINE_AGE_MS = 3_000;
/** Frames are held back while they may be part of a stop word or a character, for steps rather than for seconds. */
const QUIET_STEPS = 3;

/**
 * Tells a hung server from a slow one by its token progress: `/health` answers while generation is dead, and a slow
 * model still takes steps. Asked regularly while somebody waits; all times are of one monotonic clock, in ms.
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

  /** A fresh process. */
  reset(): void {
    this.#watching = false;
    this.#figures = null;
  }

  /** Any line of the launcher. `moved` = it tells of a request's way through the server. */
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

  /** Something of an answer has arrived. */
  onFrame(now: number): void {
    this.#progressAt = now;
  }

  /** Work has come, or we ourselves have not been running for a while: nothing from before counts. */
  restart(now: number): void {
    this.#watching = true;
    this.#lineAt = now;
    this.#progressAt = now;
  }

  /** Nobody waits any more. */
  rest(): void {
    this.#watching = false;
  }

  /** Ms that work for callers who left may go on; a load is let finish, so that closing a client costs nobody else one. */
  drainLimitMs({ stepMs }: HangLimitsView): number {
    const { loadMs, preparingMs, drainMs } = this.#limits;
    if (this.#loading) return loadMs;
    return Math.max(drainMs, stepMs, this.#figures?.doing === 'preparing' ? preparingMs : 0);
  }

  /** Which hang it is, if it is one. */
  hung(now: number, work: Work, { stepMs }: HangLimitsView): Hang | null {
    if (!this.#watching) return null;
    const { silenceMs, loadingSilenceMs, preparingMs, loadMs } = this.#limits;
    const silentMs = work.unfinished > 0 ? now - this.#lineAt : 0;
    if (silentMs > (this.#loading ? loadingSilenceMs : silenceMs)) return 'silent';
    const { stuck, loading, doing } = this.#figures ?? { stuck: 0, loading: 0, doing: 'waiting' };
    if (loading * 1000 > loadMs) return 'load';
    if (this.#loading) return null;
    if (stuck * 1000 > (doing === 'preparing' ? Math.max(stepMs, preparingMs) : stepMs)) return 'step';
    // The server's loop has handed it over, so that it has only to be written, which is no step.
    if (work.completeSince !== null && now - work.completeSince > silenceMs) return 'no_frames';
    if (work.awaiting > 0 && now - this.#progressAt > stepMs + LINE_AGE_MS) return 'no_progress';
    if (work.quietSince !== null && now - work.quietSince > QUIET_STEPS * stepMs) return 'no_frames';
    return null;
  }

  get #loading(): boolean {
    return (this.#figures?.loading ?? 0) > 0;
  }
}
