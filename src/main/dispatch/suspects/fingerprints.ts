import { z } from 'zod';
import { backendId } from '../../../shared/backend-schema';
import type { CompletionRequest } from '../../../shared/completion';
import type { BackendId } from '../../../shared/domain';
import { EXIT_CAUSES, type ExitCause } from '../../../shared/incidents';
import type { Clock } from '../../ports/clock';
import type { FileStore } from '../../ports/file-store';
import type { Logger } from '../../ports/logger';
import { fingerprintOf } from '../../router/fingerprint';

/** After this many process deaths a fingerprint's request is refused. */
export const MAX_DEATHS = 2;
/** Reports of one fingerprint within this time count as one death: no server is up again sooner. */
const ONE_DEATH_MS = 1000;
const KEPT_MS = 24 * 3_600_000;
/** Suspects stored; those with the oldest last death are dropped first. */
const MAX_SUSPECTS = 1000;

/**
 * Does a death of this cause say something about the requests in flight? A process that was ended from outside, or died
 * at its start, says nothing.
 */
const BLAMES_REQUEST: Readonly<Record<ExitCause, boolean>> = {
  out_of_memory: true,
  gpu_hang: true,
  generation_dead: true,
  poison: true,
  stalled: true,
  unknown: true,
  port_taken: false,
  bad_model: false,
  bad_arguments: false,
  killed: false,
  killed_by_os: false,
  parent_gone: false,
  runtime_broken: false,
  start_failed: false,
  start_timeout: false,
};

const suspectsSchema = z.record(
  z.string().regex(/^[0-9a-f]{32}$/),
  z.array(
    z.object({
      backend: backendId,
      cause: z.enum(EXIT_CAUSES),
      at: z.number(),
      answeredBy: z.array(backendId).default([]),
    }),
  ),
);
type Deaths = z.infer<typeof suspectsSchema>[string];

/** What earlier deaths say about a request. */
export interface Suspicion {
  /** Backend processes that died during it within the last 24 h. */
  deaths: number;
  /** Backends on which it was in flight at those deaths. */
  killed: ReadonlySet<BackendId>;
  /** Backends that have answered it in full since the last death. */
  answeredBy: ReadonlySet<BackendId>;
}

const NONE: Suspicion = { deaths: 0, killed: new Set(), answeredBy: new Set() };

export interface FingerprintsOptions {
  files: Pick<FileStore, 'readText' | 'replace'>;
  /** File in the data folder; contains hashes, causes and times, never text. */
  path: string;
  clock: Clock;
  logger: Logger;
}

/**
 * Remembers for 24 h, also across app restarts, which requests were in flight when a server process died of a cause
 * that a request can trigger. Requests are identified by a hash of their input and parameters, so the same request is
 * recognised whoever sends it.
 */
export class Fingerprints {
  readonly #options: FingerprintsOptions;
  readonly #suspects = new Map<string, Deaths>();
  #written: Promise<void> = Promise.resolve();
  #writePending = false;

  constructor(options: FingerprintsOptions) {
    this.#options = options;
  }

  /** Reads what earlier runs stored. Never rejects: an unreadable file counts as empty. */
  async load(): Promise<void> {
    const { files, path, logger } = this.#options;
    try {
      const text = await files.readText(path);
      const read = Object.entries(suspectsSchema.parse(JSON.parse(text ?? '{}')));
      for (const [hash, deaths] of read) this.#suspects.set(hash, deaths);
      this.#forgetOld();
    } catch (error) {
      logger.warn('fingerprints-not-read', { path, error: error instanceof Error ? error.name : 'unknown' });
    }
  }

  /** The deaths recorded for a request. Costs nothing while no suspect is recorded. */
  of(request: CompletionRequest): Suspicion {
    if (this.#suspects.size === 0) return NONE;
    this.#forgetOld();
    const deaths = this.#suspects.get(fingerprintOf(request));
    if (!deaths) return NONE;
    return {
      deaths: deaths.length,
      killed: new Set(deaths.map(({ backend }) => backend)),
      answeredBy: new Set(
        deaths[0]?.answeredBy.filter((id) => deaths.every(({ answeredBy }) => answeredBy.includes(id))),
      ),
    };
  }

  /**
   * Records that a process of this backend died of `cause` while it had the request; reports by several equal requests
   * count as one death. Writes to disk at once.
   */
  blame(request: CompletionRequest, backend: BackendId, cause: ExitCause): void {
    if (!BLAMES_REQUEST[cause]) return;
    const hash = fingerprintOf(request);
    const at = this.#options.clock.wall().getTime();
    const earlier = this.#suspects.get(hash) ?? [];
    if (earlier.some((death) => death.backend === backend && Math.abs(at - death.at) < ONE_DEATH_MS)) return;
    const deaths = [...earlier, { backend, cause, at, answeredBy: [] }];
    // Inserted last, so that the map stays ordered by last death.
    this.#suspects.delete(hash);
    this.#suspects.set(hash, deaths);
    this.#forgetOld();
    this.#options.logger.warn('suspect', { id: request.id, backend, cause, deaths: deaths.length });
    this.#write();
  }

  /**
   * This backend answered the request in full: removes earlier deaths on this backend, and marks deaths on other
   * backends as answered here.
   */
  acquit(request: CompletionRequest, backend: BackendId): void {
    if (this.#suspects.size === 0) return;
    const hash = fingerprintOf(request);
    const deaths = this.#suspects.get(hash);
    if (!deaths || deaths.every(({ answeredBy }) => answeredBy.includes(backend))) return;
    const left = deaths
      .filter((death) => death.backend !== backend)
      .map((death) => ({ ...death, answeredBy: [...new Set([...death.answeredBy, backend])] }));
    if (left.length === 0) this.#suspects.delete(hash);
    else this.#suspects.set(hash, left);
    this.#write();
  }

  /** Resolves when all changes so far are on disk, or the write has failed. */
  settled(): Promise<void> {
    return this.#written;
  }

  #forgetOld(): void {
    const since = this.#options.clock.wall().getTime() - KEPT_MS;
    for (const [hash, deaths] of this.#suspects) {
      const recent = deaths.filter(({ at }) => at > since);
      if (recent.length === 0 || this.#suspects.size > MAX_SUSPECTS) this.#suspects.delete(hash);
      else if (recent.length < deaths.length) this.#suspects.set(hash, recent);
    }
  }

  /** One write at a time; each writes everything known when it begins. */
  #write(): void {
    if (this.#writePending) return;
    this.#writePending = true;
    const { files, path, logger } = this.#options;
    this.#written = this.#written
      .then(() => {
        this.#writePending = false;
        return files.replace(path, `${JSON.stringify(Object.fromEntries(this.#suspects))}\n`);
      })
      .catch((error) => logger.warn('fingerprints-not-written', { path, error }));
  }
}
