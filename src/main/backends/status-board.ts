import type { BackendId } from '../../shared/domain';
import type { BackendStatus } from '../../shared/status';
import { Emitter } from '../ports/emitter';

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
