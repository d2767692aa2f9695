import type { CompletionEnd, CompletionRequest, Output } from '../../shared/completion';
import type {
  BackendId,
  BackendInstance,
  BackendState,
  Category,
  ModelInfo,
  Reason,
} from '../../shared/domain';
import type { TandemError } from '../../shared/errors';
import type { Settings } from '../../shared/settings';
import type { BackendCapabilities } from '../backends/backend';

/** One backend as routes see it. */
export interface RouteBackend extends BackendInstance {
  state: BackendState;
  enabled: boolean;
  /** Absent only until the set-up has installed it. */
  settingUp: boolean;
  capabilities: BackendCapabilities;
  /** The model that the user has chosen for each category; null or absent = none. */
  chosen: Readonly<Partial<Record<Category, string | null>>>;
  /** Models in its memory; absent = not reported. */
  loaded?: readonly string[];
}

/** The facts for a routing decision, which is a pure function of request and snapshot. */
export interface RouteSnapshot {
  settings: Settings;
  /** In the order of preference on a tie. */
  backends: readonly RouteBackend[];
  models: readonly ModelInfo[];
  memory: 'normal' | 'warning' | 'critical' | 'unknown';
  /** Why a model can never be loaded on this machine for this many tokens; null = no known reason. */
  memoryRefuses?: (backend: BackendId, model: string, tokens: number) => Reason | null;
}

/** What a request is about. */
export interface CategoryDecision {
  category: Category;
  /** What the category was decided from; the first reasons that clients, UI and journal get. */
  evidence: readonly Reason[];
}

/** Decides the category of a request, either at once or by asking a model. If the model fails, the rules decide. */
export type Decider =
  | { limitMs: null; decide(request: CompletionRequest): CategoryDecision }
  | {
      /** Longest time for a decision, ms; the dispatcher limits it to 10 s. */
      limitMs: number;
      decide(request: CompletionRequest, signal: AbortSignal): Promise<CategoryDecision>;
    };

/** A model whose context is too small for what a request needs, in tokens. */
export interface TooLong {
  backend: BackendId;
  model: string;
  tokens: number;
  context: number;
  /** The client asks for a context of so many tokens, whatever its prompt needs. */
  asked: boolean;
}

/** One backend and model to try, with the reasons for its position. */
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
      /** In the order of attempts; never empty. */
      candidates: Candidate[];
      /** Reasons for the category and for what was left out. */
      reasons: Reason[];
      /** A reply that only returns the prompt is allowed (the client named a model). */
      echoAllowed: boolean;
    }
  | {
      kind: 'refused';
      category: Category;
      error: TandemError;
      reasons: Reason[];
      /** Set if a model could answer a shorter request. */
      tooLong: TooLong | null;
    };

/** The events of one request, in this order, ending with `end` or a thrown `TandemError`. */
export type RouterEvent =
  | { type: 'routed'; category: Category; reasons: Reason[] }
  | { type: 'waiting'; backend: BackendId; model: string; position: number; etaMs: number | null }
  /**
   * A backend failed, or no backend that could answer is up. Emitted before any wait. `awaited` are the backends waited
   * for, and the first that is up continues; empty = no wait for a backend.
   */
  | { type: 'recovering'; failed: { backend: BackendId; cause: string } | null; awaited: BackendId[] }
  /** A backend has taken the request; no output is visible yet. */
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
  | Output
  /** The backend failed after the first byte; the next one answers from the start below the mark (chat only). */
  | { type: 'break'; from: BackendId; to: BackendId; reason: string }
  | { type: 'end'; end: CompletionEnd; backend: BackendId; model: string; reasons: Reason[] };

/** Runs a request. Ending the iteration early, or aborting, cancels it. */
export interface Dispatcher {
  dispatch(request: CompletionRequest, signal: AbortSignal): AsyncGenerator<RouterEvent, void, void>;
}
