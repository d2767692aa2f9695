import type { BackendId } from '../../shared/domain';
import type { ExitCause } from '../../shared/incidents';
import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';
import type { ProcessExit } from '../ports/spawner';
import { type Circumstances, type ExitReading, exitCause, type OwnDoing } from './exit-cause';
import { type Death, momentsOf, type SupervisionObserver, seconds, UNOBSERVED } from './life';
import type { SupervisorLimits } from './limits';
import type { Machine, SupervisorEvent } from './machine';
import type { LastExit } from './supervisor-types';

interface Options {
  kind: BackendId;
  limits(): SupervisorLimits;
  readExit(exit: ProcessExit): ExitReading;
}

interface Ports {
  clock: Clock;
  logger: Logger;
  observer?: SupervisionObserver;
}

/** One run of a process, from start to exit. */
interface Run {
  pid: number | undefined;
  /** Monotonic ms. */
  startedAt: number;
  end: { exit: ProcessExit; reading: ExitReading; circumstances: Circumstances; at: number } | null;
}

/** Wall time in ms: for display, never for decisions. */
export interface Dates {
  readySince: number | null;
  nextStartAt: number | null;
  /** When the open breaker retries. */
  nextTryAt: number | null;
  lastError: LastExit | null;
}

/** Stores what the state machine does not: dates and how the last run ended. Reports life moments to the observer. */
export class LifeRecorder {
  readonly #options: Options;
  readonly #ports: Ports;
  readonly #observer: SupervisionObserver;
  #run: Run | null = null;
  #dates: Dates = { readySince: null, nextStartAt: null, nextTryAt: null, lastError: null };

  constructor(options: Options, ports: Ports) {
    this.#options = options;
    this.#ports = ports;
    this.#observer = ports.observer ?? UNOBSERVED;
  }

  get dates(): Dates {
    return this.#dates;
  }

  /** A start has begun; no process runs yet. */
  begun(): void {
    this.#run = null;
  }

  spawned(pid: number | undefined): void {
    this.#run = { pid, startedAt: this.#ports.clock.now(), end: null };
  }

  exited(exit: ProcessExit, doing: OwnDoing): ExitCause {
    const { kind, readExit } = this.#options;
    const reading = readExit(exit);
    const circumstances = this.#observer.circumstances(kind);
    if (this.#run) this.#run.end = { exit, reading, circumstances, at: this.#ports.clock.now() };
    const cause = exitCause({ exit, ...doing, ...reading, ...circumstances });
    this.#ports.logger.info('process.exit', { kind, code: exit.code, signal: exit.signal, cause });
    return cause;
  }

  /** Call after each transition of the machine. */
  step(before: Machine, event: SupervisorEvent, after: Machine): void {
    const { kind } = this.#options;
    const { state, cause } = after;
    if (state.name !== before.state.name) {
      this.#ports.logger.info('process.state', { kind, state: state.name, on: event.type });
    }
    this.#date(before, event, after);
    for (const moment of momentsOf(before, event, after, this.#options.limits())) {
      if (moment.type !== 'died') {
        this.#observer.onMoment(kind, { ...moment, facts: { ...moment.facts, ...this.#facts(moment.type) } });
      } else if (cause !== null) {
        const death = this.#death(cause, after.restarts);
        this.#observer.onDeath(kind, { ...moment, facts: deathFacts(death) }, death);
      }
    }
  }

  #date(before: Machine, event: SupervisorEvent, after: Machine): void {
    const { state, cause } = after;
    const now = this.#ports.clock.wall().getTime();
    if (state.name !== before.state.name) {
      const coolMs = state.name === 'open' ? state.coolMs : null;
      this.#dates = {
        ...this.#dates,
        readySince: state.name === 'ready' ? now : null,
        nextStartAt: state.name === 'backoff' ? now + state.delayMs : null,
        nextTryAt: coolMs === null ? null : now + coolMs,
      };
    }
    const failed = state.name === 'backoff' || state.name === 'open' || state.name === 'hung';
    if (cause !== null && (failed || cause !== before.cause)) {
      const paused = before.state.name === 'hung' && this.#dates.lastError?.outside === true;
      const outside = event.type === 'hung' ? event.outside : paused;
      this.#dates = { ...this.#dates, lastError: { cause, at: now, outside } };
    }
  }

  #facts(type: string): Record<string, number> {
    const run = this.#run;
    if (!run) return {};
    if (type === 'started') return run.pid === undefined ? {} : { pid: run.pid };
    return type === 'ready' ? { seconds: seconds(this.#ports.clock.now() - run.startedAt) } : {};
  }

  #death(cause: ExitCause, restarts: number): Death {
    const run = this.#run;
    const end = run?.end ?? null;
    return {
      cause,
      pid: run?.pid ?? null,
      exit: end?.exit ?? null,
      evidence: end?.reading.lines ?? [],
      uptimeMs: run === null ? null : (end?.at ?? this.#ports.clock.now()) - run.startedAt,
      restarts,
      circumstances: end?.circumstances ?? this.#observer.circumstances(this.#options.kind),
    };
  }
}

function deathFacts({ exit, uptimeMs, restarts }: Death): Record<string, string | number> {
  return {
    restarts,
    ...(uptimeMs === null ? {} : { seconds: seconds(uptimeMs) }),
    ...(exit?.signal ? { signal: exit.signal } : {}),
    ...(typeof exit?.code === 'number' ? { code: exit.code } : {}),
  };
}
