import type { Warning } from '../../shared/contract';
import type { BackendId, BackendInstance, ModelInfo } from '../../shared/domain';
import type { BackendStatus, MemoryStatus, QueueStats } from '../../shared/status';

/** Use of a model, since the beginning of the journal. */
export interface UsageFigures {
  useCount: number;
  /** Wall time in ms since the epoch; null = never. */
  lastUsedAt: number | null;
  /** Typical measured load time in ms; null = never measured. */
  loadMs: number | null;
}

export interface RateLimitFacts {
  /** Requests per window and client; 0 = off. */
  max: number;
  /** Seconds. */
  windowS: number;
  /** Clients counted now. */
  clients: number;
}

/** Facts for the listings and `/health`; read at each request, so every method must be cheap and synchronous. */
export interface GatewayFacts {
  readonly version: string;
  /** Random per run; a request with it in its hop header was sent by this instance. */
  readonly instanceId: string;
  /** All backends of this run, also those that are switched off. */
  instances(): readonly BackendInstance[];
  backends(): readonly BackendStatus[];
  models(): readonly ModelInfo[];
  /** The models of this name, on all backends. */
  named(name: string): readonly ModelInfo[];
  /** Null until the first sample. */
  memory(): MemoryStatus | null;
  queue(): QueueStats;
  rateLimit(): RateLimitFacts;
  warnings(): readonly Warning[];
  modelUse(backend: BackendId, name: string): UsageFigures;
}
