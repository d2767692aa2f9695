import type { CompletionRequest } from '../../shared/completion';
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
  model: string;
  tokens: number;
  context: number;
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
  | { kind: 'refused'; category: Category; error: TandemError; reasons: Reason[] };
