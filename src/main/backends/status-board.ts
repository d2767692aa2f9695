import type { BackendId } from '../../shared/domain';
import type { BackendStatus } from '../../shared/status';
import { Emitter, type Unsubscribe } from '../ports/emitter';
import type { Logger } from '../ports/logger';
import { waitFor } from '../supervisor/state-wait';

/** Resident memory changes all the time; only changes above this share are emitted. */
const NOTICEABLE_SHARE = 0.02;

/** Status of a backend before anything is known. */
export function initialStatus(id: BackendId, maxRestarts: number): BackendStatus {
  return {
    id,
    state: 'stopped',
    stage: 'idle',
    model: null,
    version: null,
    pid: null,
    url: null,
    ownership: 'none',
    readySince: null,
    restarts: 0,
    maxRestarts,
    nextStartAt: null,
    lastError: null,
    memoryBytes: null,
    activeRequests: 0,
    draining: 0,
    absence: null,
    breaker: { state: 'closed', nextTryAt: null },
    ladder: null,
    hangLimits: null,
  };
}

/** Stores a backend's status and notifies listeners only of real changes. */
export class StatusBoard {
  readonly #changes = new Emitter<BackendStatus>();
  #status: BackendStatus;

  readonly onStatus = this.#changes.subscribe;

  constructor(id: BackendId, maxRestarts: number) {
    this.#status = initialStatus(id, maxRestarts);
  }

  get current(): BackendStatus {
    return this.#status;
  }

  set(patch: Partial<Omit<BackendStatus, 'id'>>): void {
    const next = { ...this.#status, ...patch };
    if (!noticeable(this.#status.memoryBytes, next.memoryBytes)) next.memoryBytes = this.#status.memoryBytes;
    if (same(this.#status, next)) return;
    this.#status = next;
    this.#changes.emit(next);
  }
}

function noticeable(before: number | null, after: number | null): boolean {
  if (before === null || after === null) return before !== after;
  return Math.abs(after - before) > before * NOTICEABLE_SHARE;
}

function same(left: BackendStatus, right: BackendStatus): boolean {
  return (Object.keys(left) as (keyof BackendStatus)[]).every((key) => {
    const [a, b] = [left[key], right[key]];
    return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
  });
}

interface Watched {
  status(): BackendStatus;
  readonly onStatus: (listener: (status: BackendStatus) => void) => Unsubscribe;
}

/** Logs why a server is unavailable and the cure, once for each cause; set-up has its own log. */
export function logAbsence(backend: Watched, logger: Logger): Unsubscribe {
  let told: string | null = null;
  return backend.onStatus(({ id, absence, stage }) => {
    const code = stage === 'setup' ? null : (absence?.code ?? null);
    if (code !== null && code !== told)
      logger.warn('backend.absent', { backend: id, code, says: absence?.cure });
    told = code;
  });
}

/**
 * Resolves when a backend is up, or when neither a start nor a set-up of it is in progress. Rejects with `cancelled` on
 * an abort.
 */
export function hasSettled(backend: Watched, signal: AbortSignal): Promise<void> {
  const isSettled = () => {
    const { state, stage } = backend.status();
    const begins = state === 'starting' && stage !== 'waiting';
    return !begins && state !== 'stopped' && stage !== 'setup';
  };
  return waitFor(backend.onStatus, isSettled, signal);
}
