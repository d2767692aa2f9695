import { randomUUID } from 'node:crypto';
import type { BackendId } from '../../shared/domain';
import { TandemError } from '../../shared/errors';
import type { ExitCause, LifeEvent } from '../../shared/incidents';
import type { BackendStatus, MemoryStatus } from '../../shared/status';
import type { Clock } from '../ports/clock';
import type { Unsubscribe } from '../ports/emitter';
import type { Logger } from '../ports/logger';
import type { Circumstances } from '../supervisor/exit-cause';
import type { Death, LifeMoment, SupervisionObserver } from '../supervisor/life';
import type { Incident } from './incident';
import { type DatedChange, incidentReport } from './incident-report';
import type { IncidentStore } from './incident-store';
import { LifeLog } from './life-log';
import { watchedMoment } from './watched-life';

const REPORTED_CHANGES_MS = 24 * 3_600_000;

/** Read at the moment of a death. */
export interface IncidentSources {
  status(backend: BackendId): BackendStatus;
  memory(): MemoryStatus | null;
  /** Requests in flight on a backend. */
  inFlight(backend: BackendId): number;
  /** Is one of them equal to a request that has ended a process before? */
  killerInFlight(backend: BackendId): boolean;
}

export interface IncidentsOptions extends IncidentSources {
  store: IncidentStore;
  clock: Clock;
  logger: Logger;
  /** What a cause means, as a sentence. */
  words(backend: BackendId, cause: Incident['cause']): string;
  /** Looks for evidence of a death that nothing explains; null = none was found. Never awaited by a restart. */
  explain?(death: Death): Promise<Explanation | null>;
  /** A death was explained after it was reported. */
  onExplained?(backend: BackendId, cause: ExitCause): void;
  /** Settings changed since a wall time in ms, oldest first, without secrets. */
  settingChanges(since: number): Promise<readonly DatedChange[]>;
  versions: { tandem: string; system: string };
}

/** Evidence found after a death; the cause stays `unknown` if the evidence proves none. */
export interface Explanation {
  cause: ExitCause;
  evidence: readonly string[];
}

/** Observes all servers: keeps the timeline, and a report of each death. */
export class Incidents implements SupervisionObserver {
  readonly onChange: (listener: () => void) => Unsubscribe;
  readonly #options: IncidentsOptions;
  readonly #life: LifeLog;

  constructor(options: IncidentsOptions) {
    this.#options = options;
    this.#life = new LifeLog(options.logger);
    this.onChange = this.#life.onChange;
  }

  /** Starts the timeline with the deaths of earlier runs. Never rejects. */
  async load(): Promise<void> {
    this.#life.restore((await this.#options.store.load()).map(diedOf));
  }

  /** Resolves when all incidents are on disk. */
  async settled(): Promise<void> {
    await this.#options.store.settled();
  }

  /** What happened to the servers, oldest first. */
  life(): LifeEvent[] {
    return [...this.#life.events()];
  }

  circumstances(backend: BackendId): Circumstances {
    return {
      pressure: this.#options.memory()?.pressure ?? 'unknown',
      killerInFlight: this.#options.killerInFlight(backend),
    };
  }

  onMoment(backend: BackendId, moment: LifeMoment): void {
    this.#tell(backend, moment, null);
  }

  onDeath(backend: BackendId, moment: LifeMoment, death: Death): void {
    const incident = this.#incidentOf(backend, death);
    this.#options.store.add(incident);
    this.#tell(backend, moment, incident.id);
    if (death.cause === 'unknown' && death.pid !== null) void this.#explain(incident, death);
  }

  /** Observes a backend whose server may be external. */
  watch(backend: {
    status(): BackendStatus;
    onStatus: (run: (status: BackendStatus) => void) => Unsubscribe;
  }) {
    let before = backend.status();
    return backend.onStatus((after) => {
      const moment = watchedMoment(before, after);
      before = after;
      if (moment) this.onMoment(after.id, moment);
    });
  }

  /** Text to copy. Rejects with `not_found` when the incident no longer exists. */
  async report(id: string): Promise<string> {
    const { store, words, settingChanges } = this.#options;
    const incident = store.find(id);
    if (!incident) throw new TandemError('not_found', 'There is no report of this incident.');
    const changes = await settingChanges(incident.at - REPORTED_CHANGES_MS);
    return incidentReport(
      incident,
      words(incident.backend, incident.cause),
      changes.filter(({ at }) => Date.parse(at) <= incident.at),
    );
  }

  /** Adds to the report what the system's log knows, and reports the cause if that proves one. Never rejects. */
  async #explain(incident: Incident, death: Death): Promise<void> {
    const { explain, onExplained, store, logger } = this.#options;
    try {
      const found = (await explain?.(death)) ?? null;
      if (found === null) return;
      const { cause } = found;
      const evidence = [...new Set([...incident.evidence, ...found.evidence])];
      store.add({ ...incident, cause, evidence });
      if (cause === 'unknown') return;
      this.#tell(incident.backend, { type: 'explained', cause, facts: {} }, incident.id);
      onExplained?.(incident.backend, cause);
    } catch (error) {
      logger.warn('incidents.not-explained', { error });
    }
  }

  #tell(backend: BackendId, { type, cause, facts }: LifeMoment, incident: string | null): void {
    const at = this.#options.clock.wall().getTime();
    this.#life.add({ backend, at, type, cause, facts, incident });
  }

  #incidentOf(backend: BackendId, death: Death): Incident {
    const { status, memory, inFlight, versions, clock } = this.#options;
    const now = memory();
    const { model, version, memoryBytes, ladder } = status(backend);
    return {
      id: randomUUID(),
      backend,
      at: clock.wall().getTime(),
      cause: death.cause,
      evidence: [...new Set(death.evidence)],
      exitCode: death.exit?.code ?? null,
      signal: death.exit?.signal ?? null,
      uptimeMs: death.uptimeMs,
      memory: {
        pressure: death.circumstances.pressure,
        usedBytes: now?.usedBytes ?? null,
        totalBytes: now?.totalBytes ?? null,
        serverBytes: memoryBytes,
      },
      model,
      inFlight: inFlight(backend),
      restarts: death.restarts,
      rung: ladder?.rung ?? null,
      versions: { ...versions, server: version },
    };
  }
}

function diedOf(incident: Incident): LifeEvent {
  const { backend, at, cause, restarts, uptimeMs, signal, exitCode, id } = incident;
  return {
    backend,
    at,
    type: 'died',
    cause,
    facts: {
      restarts,
      ...(uptimeMs === null ? {} : { seconds: Math.round(uptimeMs / 100) / 10 }),
      ...(signal === null ? {} : { signal }),
      ...(exitCode === null ? {} : { code: exitCode }),
    },
    incident: id,
  };
}
