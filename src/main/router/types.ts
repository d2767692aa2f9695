import type {
  BackendId,
  BackendState,
  Category,
  CompletionEnd,
  CompletionRequest,
  ModelInfo,
  Reason,
} from '../../shared/domain';
import type { TandemError } from '../../shared/errors';
import type { Settings } from '../../shared/settings';
import type { BackendCapabilities } from '../backends/backend';

/** The facts a routing decision is made from; the decision is a pure function of request and snapshot. */
export interface RouteSnapshot {
  settings: Settings;
  backends: Record<
    BackendId,
    {
      state: BackendState;
      enabled: boolean;
      /** Absent only until the set-up has made it. */
      settingUp: boolean;
      capabilities: BackendCapabilities;
      /** Models in its memory; absent = not told. */
      loaded?: readonly string[];
    }
  >;
  models: readonly ModelInfo[];
  memory: 'normal' | 'warning' | 'critical' | 'unknown';
  /** Why a model can never be loaded on this machine for so many tokens; null = it may be, as far as that is known. */
  memoryRefuses?: (backend: BackendId, model: string, tokens: number) => Reason | null;
}

/** A model whose context does not hold what a request needs, in tokens. */
export interface TooLong {
  model: string;
  tokens: number;
  context: number;
}

/** One backend and model to try, with the reasons for it standing where it does. */
export interface Candidate {
  backend: BackendId;
  model: string;
  /** Wait for this backend to come back (Ollama restarting) instead of failing at once. */
  waitForReady: boolean;
  reasons: Reason[];
}

export type Route =
  | {
      kind: 'candidates';
      category: Category;
      /** In the order to be tried; never empty. */
      candidates: Candidate[];
      /** Reasons for the category and for what was removed. */
      reasons: Reason[];
      /** A reply that merely returns the prompt passes (a named model was asked for). */
      echoAllowed: boolean;
    }
  | { kind: 'refused'; category: Category; error: TandemError; reasons: Reason[] };

/** What the dispatcher tells about one request, in this order, ending in `end` or a thrown `TandemError`. */
export type RouterEvent =
  | { type: 'routed'; category: Category; reasons: Reason[] }
  | { type: 'waiting'; backend: BackendId; model: string; position: number; etaMs: number | null }
  /**
   * A backend failed, or no backend that could answer is up. Emitted before any wait: `awaited` are the backends of
   * which the first that is up goes on; none = somebody goes on now.
   */
  | { type: 'recovering'; failed: { backend: BackendId; cause: string } | null; awaited: BackendId[] }
  /** A backend has taken the request; nothing of it is visible yet. */
  | {
      type: 'attempt';
      backend: BackendId;
      model: string;
      reasons: Reason[];
      queueMs: number;
      /** Oldest turns left out because they do not fit the model's context. */
      droppedTurns?: number;
    }
  | { type: 'prefill'; done: number; total: number }
  /** From here on this backend's output is visible to the client. */
  | { type: 'started'; backend: BackendId; model: string; reasons: Reason[]; queueMs: number; ttftMs: number }
  | { type: 'text'; text: string }
  | { type: 'thinking'; text: string }
  | { type: 'tool_calls'; calls: unknown[] }
  /** After the first byte the backend failed; the next one answers anew below the mark (chat only). */
  | { type: 'break'; from: BackendId; to: BackendId; reason: string }
  | { type: 'end'; end: CompletionEnd; backend: BackendId; model: string; reasons: Reason[] };

/** Sends a request on its way. Returning from the iteration early, or aborting, cancels it. */
export interface Dispatcher {
  dispatch(request: CompletionRequest, signal: AbortSignal): AsyncGenerator<RouterEvent, void, void>;
}
