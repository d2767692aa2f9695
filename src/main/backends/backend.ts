import type {
  BackendId,
  ChatMessage,
  CompletionChunk,
  ModelInfo,
  Reason,
  Sampling,
} from '../../shared/domain';
import type { BackendStatus } from '../../shared/status';
import type { Unsubscribe } from '../ports/emitter';

/** What a backend can do; the router removes backends that lack what a request needs. */
export interface BackendCapabilities {
  tools: boolean;
  images: boolean;
  jsonSchema: boolean;
}

/** A request after routing: one model of one backend. */
export interface BackendRequest {
  id: string;
  model: string;
  messages: ChatMessage[];
  rawPrompt?: string;
  sampling: Sampling;
  format?: unknown;
  tools?: unknown[];
  think?: boolean | string;
  keepAlive?: string | number;
  extraOptions?: Record<string, unknown>;
  /** Instances of Tandem that it has passed, as in the hop header. */
  hops?: string;
  /** Ms that the answer may take in all, for deciding how long something is worth waiting for; the signal ends it. */
  timeoutMs?: number;
}

/**
 * One LLM server behind one interface. Nothing outside its folder knows its protocol or tests its name.
 */
export interface Backend {
  readonly id: BackendId;
  readonly capabilities: BackendCapabilities;

  /** Advisory picture for router, UI and `/health`; never read to gate a change. */
  status(): BackendStatus;
  readonly onStatus: (listener: (status: BackendStatus) => void) => Unsubscribe;

  /** Begins its life: finds or starts the server. Resolves when that is under way; failures show in the status. */
  start(): Promise<void>;

  /** Looks again for its program or server, after the set-up or the machine's sleep may have changed something. */
  relocate(): Promise<void>;

  /** Why it takes no request of so many tokens, prompt and answer, for this model at present. Absent = it takes all. */
  refuses?(model: string, tokens: number): Reason | null;

  /** Installed models, as the server (or its folders) list them now. */
  models(signal?: AbortSignal): Promise<ModelInfo[]>;

  /**
   * Starts what must be started and resolves when a real one-token answer (or, adopted, the API) proves it alive.
   * Rejects with `backend_absent`, `mlx_down` or `ollama_down`. Aborting the signal ends the wait only.
   */
  ensureReady(signal?: AbortSignal): Promise<void>;

  /**
   * Streams one completion. Ends with exactly one `end` chunk or throws a `TandemError`.
   * Aborting closes the upstream connection at once, also before its first byte.
   */
  stream(request: BackendRequest, signal: AbortSignal): AsyncIterable<CompletionChunk>;

  /** Resolves when no sequence of a cancelled request is being computed any more. */
  drained(signal?: AbortSignal): Promise<void>;

  /** Manual restart; works in every state. Resolves when ready or settled in failure. */
  restart(reason: string): Promise<void>;

  /** Memory is short: gives up the load that a start has begun, and starts without it. Absent = it preloads nothing. */
  giveUpPreload?(): void;

  /**
   * Ends the server of ours whose program is about to be removed; it comes back when `relocate` or a restart finds one.
   * Resolves when no process is left.
   */
  release(): Promise<void>;

  /**
   * Stops what we started, and nothing that is under way starts it again; an adopted server is left alone. Resolves when
   * no process is left.
   */
  stop(): Promise<void>;
}
