import type { CompletionChunk, ModelInput } from '../../shared/completion';
import type { BackendInstance, ModelInfo, Reason } from '../../shared/domain';
import type { ExitCause } from '../../shared/incidents';
import type { BackendStatus } from '../../shared/status';
import type { Unsubscribe } from '../ports/emitter';

/** What a backend can do; the router leaves out backends that lack what a request needs. */
export interface BackendCapabilities {
  tools: boolean;
  images: boolean;
  jsonSchema: boolean;
}

export const TEXT_ONLY: BackendCapabilities = { tools: false, images: false, jsonSchema: false };

/** A request after routing: one model of one backend. */
export interface BackendRequest extends ModelInput {
  id: string;
  model: string;
  /** Tandem instances that the request has passed, as in the hop header. */
  hops?: string;
  /** Tokens of context that the model always has here; absent = its server decides. */
  pinnedContext?: number;
  /** Ms that the whole answer may take. Only used to decide how long a wait is worthwhile; the signal ends it. */
  timeoutMs?: number;
}

/** One LLM server behind one interface. No code outside its folder knows its protocol or tests its name. */
export interface Backend {
  readonly instance: BackendInstance;
  readonly capabilities: BackendCapabilities;

  /** Advisory status for router, UI and `/health`; never used to decide on a change. */
  status(): BackendStatus;
  readonly onStatus: (listener: (status: BackendStatus) => void) => Unsubscribe;

  /** Finds or starts the server. Resolves when that is under way; failures show in the status. */
  start(): Promise<void>;

  /** Searches again for its program or server, because the set-up or a sleep may have changed something. */
  relocate(): Promise<void>;

  /** Why it currently rejects requests of so many tokens (prompt and answer) for this model. Absent = never. */
  refuses?(model: string, tokens: number): Reason | null;

  /**
   * Tokens of context, by name, of models that somebody else's server has loaded: it keeps them, whatever is pinned
   * here. Absent = none are known.
   */
  foreignContexts?(): ReadonlyMap<string, number>;

  /** Installed models, as the server or its folders list them now. */
  models(signal?: AbortSignal): Promise<ModelInfo[]>;

  /**
   * Starts what is needed; resolves when a real one-token answer (or the API, if adopted) shows that the server works.
   * Rejects with `backend_absent`, or with the code of `downCodeOf`. Aborting the signal ends only the wait.
   */
  ensureReady(signal?: AbortSignal): Promise<void>;

  /**
   * Streams one completion. Ends with exactly one `end` chunk or throws a `TandemError`. Aborting closes the upstream
   * connection at once, also before its first byte.
   */
  stream(request: BackendRequest, signal: AbortSignal): AsyncIterable<CompletionChunk>;

  /** Resolves when no sequence of a cancelled request is being computed any more. */
  drained(signal?: AbortSignal): Promise<void>;

  /** Why its last process died became known only now. Absent = it learns nothing from a death. */
  explained?(cause: ExitCause): void;

  /** Manual restart; works in every state. Resolves when ready or settled in failure. */
  restart(reason: string): Promise<void>;

  /**
   * Unloads a model at the user's request, whoever loaded it; does nothing if it is not loaded. Resolves when its memory
   * is free. Rejects with `busy` while a request uses it. Absent = this server cannot unload models.
   */
  freeModel?(model: string, signal: AbortSignal): Promise<void>;

  /** Deletes an installed model through the server. Absent = its files are deleted instead. */
  deleteModel?(model: string, signal: AbortSignal): Promise<void>;

  /** Memory is short: ends the load that a start has begun, and starts without it. Absent = it preloads nothing. */
  giveUpPreload?(): void;

  /**
   * Ends our server because its program is about to be removed; it comes back when `relocate` or a restart finds one.
   * Resolves when no process is left.
   */
  release(): Promise<void>;

  /**
   * Stops what we started, and nothing under way starts it again; an adopted server keeps running. Resolves when no
   * process is left.
   */
  stop(): Promise<void>;
}
