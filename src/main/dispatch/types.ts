import type { CompletionEnd, CompletionRequest, Output } from '../../shared/completion';
import type { BackendId, Category, Reason } from '../../shared/domain';

/** The events of one request, in this order, ending with `end` or a thrown `TandemError`. */
export type DispatchEvent =
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

/** Runs a request; `dispatcher.ts` implements it. Ending the iteration early, or aborting, cancels it. */
export interface Dispatcher {
  dispatch(request: CompletionRequest, signal: AbortSignal): AsyncGenerator<DispatchEvent, void, void>;
}
