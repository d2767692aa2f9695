import { TandemError } from '../../shared/errors';
import type { BackendStatus } from '../../shared/status';
import type { Clock } from '../ports/clock';
import { Emitter } from '../ports/emitter';
import type { Logger } from '../ports/logger';
import type { ChildHandle, LaunchSpec, ProcessExit, ProcessTable, Spawner } from '../ports/spawner';
import { ProcessFamily } from './process-family';
import type { ChildRecords } from './sweep';
import {
  type Effect,
  type ExitCause,
  INITIAL,
  type Machine,
  type SupervisorEvent,
  type SupervisorLimits,
  transition,
} from './transitions';

/** The exit of a process is told this long after its connections broke, at the latest. */
const EXIT_NOTICE_MS = 300;

export interface SupervisorPorts {
  clock: Clock;
  spawner: Spawner;
  table: ProcessTable;
  records: ChildRecords;
  logger: Logger;
}

export interface SupervisorOptions {
  /** Kind of command, for the log and the child records. */
  kind: string;
  limits: SupervisorLimits;
  /** What to start, asked anew before each start. A rejection is a failed start. */
  launch(): Promise<LaunchSpec>;
  /** Told of each new process, to read its output. */
  onSpawn(child: ChildHandle): void;
  /** Resolves when a real answer came; tells its stages. A rejection ends the process. */
  probe(signal: AbortSignal, onStage: (stage: 'loading' | 'probing') => void): Promise<void>;
  /** Names the cause of an exit that nobody asked for. */
  causeOf(exit: ProcessExit): ExitCause;
  /** Resolves when memory allows another start; asked before each one. */
  mayStart(signal: AbortSignal): Promise<void>;
}

/** The supervised process as others may see it. */
export interface SupervisorView {
  state: 'stopped' | 'starting' | 'ready' | 'hung' | 'stopping' | 'backoff' | 'open';
  stage: BackendStatus['stage'];
  pid: number | null;
  restarts: number;
  /** Wall time in ms. */
  readySince: number | null;
  nextStartAt: number | null;
  lastError: { cause: ExitCause; at: number } | null;
}

/**
 * Runs one child process by the rules of `transitions.ts`. The only writer of its state: everything that happens
 * (calls, timers, exits, probes) becomes an event, one after the other.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #ports: SupervisorPorts;
  readonly #family: ProcessFamily;
  readonly #changes = new Emitter<SupervisorView>();
  #machine: Machine = INITIAL;
  #child: ChildHandle | null = null;
  #start: AbortController | null = null;
  #cancelTimer = () => {};
  #readySince: number | null = null;
  #nextStartAt: number | null = null;
  #lastError: SupervisorView['lastError'] = null;

  readonly onChange = this.#changes.subscribe;

  constructor(options: SupervisorOptions, ports: SupervisorPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#family = new ProcessFamily(options.kind, ports);
  }

  view(): SupervisorView {
    const { state } = this.#machine;
    return {
      state: state.name,
      stage: state.name === 'hung' ? 'killing' : 'stage' in state ? state.stage : 'idle',
      pid: this.#child?.pid ?? null,
      restarts: this.#machine.restarts,
      readySince: this.#readySince,
      nextStartAt: this.#nextStartAt,
      lastError: this.#lastError,
    };
  }

  /** Starts it unless it is up, on its way, or waiting for a planned restart; the breaker stays as it is. */
  start(): void {
    this.#dispatch({ type: 'start' });
  }

  /** Starts it at once if it is down, with a fresh counter: what kept it down may have gone. */
  revive(): void {
    this.#dispatch({ type: 'revive' });
  }

  /** Generation makes no progress although the process lives: it is killed and started again with backoff. */
  reportHung(): void {
    this.#dispatch({ type: 'hung' });
  }

  /**
   * Starts it if need be and waits until it is ready, also over planned restarts.
   * Rejects with `mlx_down`-like `down` when the breaker is open or it was stopped; aborting ends the wait only.
   */
  ensureReady(signal: AbortSignal | undefined, down: () => TandemError): Promise<void> {
    this.start();
    return this.#until(signal, (state) => {
      if (state === 'ready') return true;
      if (state === 'open' || state === 'stopped') throw down();
      return false;
    });
  }

  /** Ends and starts it anew, in every state, with a fresh restart counter. Resolves when ready or settled in failure. */
  async restart(): Promise<void> {
    this.#dispatch({ type: 'restart' });
    await this.#until(undefined, (state) => ['ready', 'open', 'backoff', 'stopped'].includes(state));
  }

  /** Ends it for good (until `start`). Resolves when no process is left: at most grace + give-up time. */
  async stop(): Promise<void> {
    this.#dispatch({ type: 'stop' });
    await this.#until(undefined, (state) => state !== 'stopping');
    await this.#ports.records.settled();
  }

  /**
   * Call when a connection to the process broke. A process that dies closes its connections before its exit is told,
   * so that it would seem ready to whoever asks right away. Resolves when the exit is known, or when none has come.
   */
  async connectionLost(): Promise<void> {
    const giveUp = new AbortController();
    const cancel = this.#ports.clock.after(EXIT_NOTICE_MS, () => giveUp.abort());
    await this.#until(giveUp.signal, (state) => state !== 'ready').catch(() => {});
    cancel();
  }

  #until(signal: AbortSignal | undefined, done: (state: SupervisorView['state']) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        try {
          if (!done(this.#machine.state.name)) return false;
          resolve();
        } catch (error) {
          reject(error);
        }
        leave();
        return true;
      };
      const onAbort = () => {
        leave();
        reject(
          new TandemError('cancelled', 'The wait for the server was cancelled.', { cause: signal?.reason }),
        );
      };
      const unsubscribe = this.onChange(check);
      const leave = () => {
        unsubscribe();
        signal?.removeEventListener('abort', onAbort);
      };
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      check();
    });
  }

  #dispatch(event: SupervisorEvent): void {
    const before = this.#machine;
    const step = transition(before, event, this.#options.limits);
    if (step.machine === before) return;
    this.#machine = step.machine;
    if (step.timer !== 'keep') this.#setTimer(step.timer);
    this.#note(before, event);
    for (const effect of step.effects) this.#run(effect);
    this.#changes.emit(this.view());
  }

  #setTimer(ms: number | null): void {
    this.#cancelTimer();
    const { clock } = this.#ports;
    this.#cancelTimer = ms === null ? () => {} : clock.after(ms, () => this.#dispatch({ type: 'timer' }));
  }

  /** Keeps the moments that the state itself does not hold. */
  #note(before: Machine, event: SupervisorEvent): void {
    const { state, cause } = this.#machine;
    const now = this.#ports.clock.wall().getTime();
    if (state.name !== before.state.name) {
      this.#readySince = state.name === 'ready' ? now : null;
      this.#nextStartAt = state.name === 'backoff' ? now + state.delayMs : null;
      this.#ports.logger.info('process.state', {
        kind: this.#options.kind,
        state: state.name,
        on: event.type,
      });
    }
    const failed = state.name === 'backoff' || state.name === 'open' || state.name === 'hung';
    if (cause !== null && (failed || cause !== before.cause)) this.#lastError = { cause, at: now };
  }

  #run(effect: Effect): void {
    switch (effect) {
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

  /** The leader has gone; what it left of its group (a model runner) must not live on. */
  #reap(): void {
    const child = this.#child;
    this.#child = null;
    if (child?.pid === undefined) return;
    child.kill('SIGKILL');
    void this.#family.forget(child.pid);
  }

  #spawn(): void {
    const start = new AbortController();
    this.#start = start;
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
    await this.#options.mayStart(signal);
    const spec = await this.#options.launch();
    signal.throwIfAborted();
    const child = this.#ports.spawner.spawn(spec);
    this.#child = child;
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
    const cause = exit.error ? 'start_failed' : this.#options.causeOf(exit);
    this.#ports.logger.info('process.exit', {
      kind: this.#options.kind,
      code: exit.code,
      signal: exit.signal,
      cause,
    });
    this.#dispatch({ type: 'exited', cause });
  }

  /** Renews what is written down of the running child; called when it may have got children of its own. */
  async recordDescendants(): Promise<void> {
    if (this.#child) await this.#record(this.#child);
  }

  #record(child: ChildHandle): Promise<void> {
    return this.#family.record(child, () => child === this.#child);
  }

  /** Resident bytes of the process and its children; null when none runs or the OS does not tell. */
  async residentBytes(pid = this.#child?.pid): Promise<number | null> {
    return pid === undefined ? null : this.#family.residentBytes(pid);
  }
}
