import { TandemError } from '../../shared/errors';
import type { Clock } from '../ports/clock';
import { Emitter } from '../ports/emitter';
import type { Logger } from '../ports/logger';
import type { ChildHandle, ProcessExit, ProcessTable, Spawner } from '../ports/spawner';
import type { SupervisionObserver } from './life';
import { LifeRecorder } from './life-recorder';
import {
  breakerState,
  type Effect,
  INITIAL,
  type Machine,
  type SupervisorEvent,
  shownStage,
} from './machine';
import { ProcessFamily } from './process-family';
import { waitFor } from './state-wait';
import type { SupervisorOptions, SupervisorView } from './supervisor-types';
import type { ChildRecords } from './sweep';
import { transition } from './transitions';

/** How long to wait for the exit of a process after its connections broke. */
const EXIT_NOTICE_MS = 300;

export interface SupervisorPorts {
  clock: Clock;
  spawner: Spawner;
  table: ProcessTable;
  records: Pick<ChildRecords, 'put' | 'remove' | 'settled'>;
  logger: Logger;
  /** Without an observer no moments are reported, and an exit is judged by its own evidence alone. */
  observer?: SupervisionObserver;
}

/**
 * Runs one child process by the rules of `transitions.ts`. It is the only writer of the state: calls, timers, exits and
 * probes become events that are handled one after the other.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #ports: SupervisorPorts;
  readonly #family: ProcessFamily;
  readonly #life: LifeRecorder;
  readonly #changes = new Emitter<SupervisorView>();
  #machine: Machine = INITIAL;
  #child: ChildHandle | null = null;
  #start: AbortController | null = null;
  #cancelTimer = () => {};

  readonly onChange = this.#changes.subscribe;

  constructor(options: SupervisorOptions, ports: SupervisorPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#family = new ProcessFamily(options.kind, ports);
    this.#life = new LifeRecorder(options, ports);
  }

  view(): SupervisorView {
    const { state, restarts } = this.#machine;
    const { nextTryAt, ...dates } = this.#life.dates;
    return {
      state: state.name,
      stage: shownStage(state),
      pid: this.#child?.pid ?? null,
      restarts,
      breaker: { state: breakerState(this.#machine), nextTryAt },
      ...dates,
    };
  }

  /**
   * Marks the process as wanted: starts it unless it is up, starting, or waiting for a planned restart. Does not change
   * the breaker. Resolves when the search for its program has ended.
   */
  async start(): Promise<void> {
    this.#dispatch({ type: 'start' });
    await this.#until((state) => !isLooking(state));
  }

  /**
   * If the process is wanted but down, starts it at once with a fresh counter, because the reason it was down may be
   * gone. Resolves when the search for its program has ended.
   */
  async revive(): Promise<void> {
    this.#dispatch({ type: 'revive' });
    await this.#until((state) => !isLooking(state));
  }

  /**
   * Generation makes no progress although the process lives: kills it and restarts it with backoff.
   * @param outside somebody paused the process, so no request caused the hang
   */
  reportHung(outside = false): void {
    this.#dispatch({ type: 'hung', outside });
  }

  /** Asks the OS whether somebody paused the process, then calls `reportHung`. Never rejects. */
  async endHung(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    const outside = await this.#ports.table.isSuspended(pid);
    // Another process may have replaced it during the OS call.
    if (this.#child?.pid === pid) this.reportHung(outside);
  }

  /** A request was answered in full: this closes a breaker whose start had no model to probe. */
  answered(): void {
    this.#dispatch({ type: 'answered' });
  }

  /**
   * Waits until the process is ready, also across planned restarts; searches again for a missing program. Rejects with
   * `down` when that is still missing, the breaker is open or the process is not wanted. Aborting ends only the wait.
   */
  ensureReady(signal: AbortSignal | undefined, down: () => TandemError): Promise<void> {
    this.#dispatch({ type: 'needed' });
    return this.#until((state) => {
      if (isAbsent(state) || state.name === 'open' || state.name === 'stopped') throw down();
      return state.name === 'ready';
    }, signal);
  }

  /** Ends and restarts the process in every state, with a fresh counter. Resolves when ready or settled in failure. */
  async restart(): Promise<void> {
    this.#dispatch({ type: 'restart' });
    await this.#until(
      (state) => isAbsent(state) || ['ready', 'open', 'backoff', 'stopped'].includes(state.name),
    );
  }

  /** Ends the current start and begins another; counters, breaker and planned restarts stay as they are. */
  giveUpStart(): void {
    this.#dispatch({ type: 'start-given-up' });
  }

  /**
   * Ends the process for good: only `start` and `restart` bring it back. Resolves when no process is left: after at
   * most grace + give-up time.
   */
  stop(): Promise<void> {
    return this.#endBy({ type: 'stop' });
  }

  /**
   * Ends the process because its program is about to be removed, and searches for the program; it stays wanted. The
   * search must already miss it. Resolves like `stop`, after the search.
   */
  release(): Promise<void> {
    return this.#endBy({ type: 'release' });
  }

  async #endBy(event: SupervisorEvent): Promise<void> {
    this.#dispatch(event);
    await this.#until((state) => state.name !== 'stopping' && !isLooking(state));
    await this.#ports.records.settled();
  }

  /**
   * Call when a connection to the process broke. A dying process closes its connections before its exit is reported, so
   * a caller that retries at once would see it as ready. Resolves on the exit, or after `EXIT_NOTICE_MS`.
   */
  async connectionLost(): Promise<void> {
    const giveUp = new AbortController();
    const cancel = this.#ports.clock.after(EXIT_NOTICE_MS, () => giveUp.abort());
    await this.#until(({ name }) => name !== 'ready', giveUp.signal).catch(() => {});
    cancel();
  }

  #until(done: (state: Machine['state']) => boolean, signal?: AbortSignal): Promise<void> {
    return waitFor(this.onChange, () => done(this.#machine.state), signal);
  }

  #dispatch(event: SupervisorEvent): void {
    const before = this.#machine;
    const step = transition(before, event, this.#options.limits());
    if (step.machine === before) return;
    this.#machine = step.machine;
    if (step.timer !== 'keep') this.#setTimer(step.timer);
    this.#life.step(before, event, step.machine);
    for (const effect of step.effects) this.#run(effect);
    this.#changes.emit(this.view());
  }

  #setTimer(ms: number | null): void {
    this.#cancelTimer();
    const { clock } = this.#ports;
    this.#cancelTimer = ms === null ? () => {} : clock.after(ms, () => this.#dispatch({ type: 'timer' }));
  }

  #run(effect: Effect): void {
    switch (effect) {
      case 'look':
        void this.#look();
        return;
      case 'spawn':
        this.#spawn();
        return;
      case 'cancel-start':
        this.#start?.abort();
        this.#start = null;
        return;
      case 'terminate':
        if (this.#child) this.#child.kill('SIGTERM');
        else queueMicrotask(() => this.#dispatch({ type: 'exited', cause: 'killed' }));
        return;
      case 'kill':
        this.#child?.kill('SIGKILL');
        return;
      case 'reap':
        this.#reap();
        return;
    }
  }

  /** The leader has exited; the rest of its group (a model runner) must not stay alive. */
  #reap(): void {
    const child = this.#child;
    this.#child = null;
    if (child?.pid === undefined) return;
    child.kill('SIGKILL');
    void this.#family.forget(child.pid);
  }

  async #look(): Promise<void> {
    const { signal } = this.#begin();
    let found = false;
    try {
      found = (await this.#options.locate?.()) ?? true;
    } catch (error) {
      this.#ports.logger.warn('process.not-located', { kind: this.#options.kind, error });
    }
    if (!signal.aborted) this.#dispatch({ type: found ? 'located' : 'absent' });
  }

  #begin(): AbortController {
    this.#start = new AbortController();
    return this.#start;
  }

  #spawn(): void {
    const start = this.#begin();
    this.#life.begun();
    this.#attempt(start.signal).catch((error) => {
      if (start.signal.aborted) return;
      this.#ports.logger.warn('process.start-failed', {
        kind: this.#options.kind,
        code: error instanceof TandemError ? error.code : (error?.code ?? error?.name),
      });
      this.#dispatch({ type: 'start-failed', cause: 'start_failed' });
    });
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    await this.#options.mayStart(signal, this.#machine.cause);
    signal.throwIfAborted();
    this.#dispatch({ type: 'stage', stage: 'spawning' });
    const spec = await this.#options.launch();
    signal.throwIfAborted();
    if (spec === null) {
      this.#dispatch({ type: 'absent' });
      return;
    }
    const child = this.#ports.spawner.spawn(spec);
    this.#child = child;
    this.#life.spawned(child.pid);
    this.#options.onSpawn(child);
    void child.exited.then((exit) => this.#onExit(child, exit));
    void this.#record(child);
    this.#dispatch({ type: 'stage', stage: 'loading' });
    await this.#options.probe(signal, (stage) => {
      if (!signal.aborted) this.#dispatch({ type: 'stage', stage });
    });
    if (!signal.aborted) this.#dispatch({ type: 'ready' });
  }

  #onExit(child: ChildHandle, exit: ProcessExit): void {
    if (child !== this.#child) return;
    const { state } = this.#machine;
    const cause = this.#life.exited(exit, {
      stalled: state.name === 'hung',
      overdue: state.name === 'stopping' && state.stage === 'killing',
    });
    // A requested end is no evidence, whatever the process wrote or we did to it.
    const askedFor = state.name === 'stopping' && (state.next === 'stopped' || state.next === 'spawn');
    const final = !askedFor && this.#options.mayRecover?.(cause) === false;
    this.#dispatch({ type: 'exited', cause, final });
  }

  /** Updates the record of the running child; call when it may have started children of its own. */
  async recordDescendants(): Promise<void> {
    if (this.#child) await this.#record(this.#child);
  }

  #record(child: ChildHandle): Promise<void> {
    return this.#family.record(child, () => child === this.#child);
  }

  /** Resident bytes of the process and its children; null when none runs or the OS does not report them. */
  async residentBytes(pid = this.#child?.pid): Promise<number | null> {
    return pid === undefined ? null : this.#family.residentBytes(pid);
  }
}

function isLooking(state: Machine['state']): boolean {
  return state.name === 'absent' && state.looking;
}

/** Its program was searched for and is missing. */
function isAbsent(state: Machine['state']): boolean {
  return state.name === 'absent' && !state.looking;
}
