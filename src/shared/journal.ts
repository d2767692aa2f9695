import type { CompletionRequest } from './completion';
import type { BackendId, Category, Priority, Reason } from './domain';

/** One row per finished request; metadata only: no text, no titles. Times in ms. */
export interface JournalRow {
  id: string;
  /** Wall time of its arrival. */
  at: number;
  origin: CompletionRequest['origin'];
  client: string;
  priority: Priority;
  category: Category | null;
  backend: BackendId | null;
  model: string | null;
  reasons: Reason[];
  outcome: 'done' | 'failed' | 'cancelled' | 'rejected';
  code: string | null;
  queueMs: number | null;
  ttftMs: number | null;
  totalMs: number;
  promptTokens: number | null;
  completionTokens: number | null;
  replays: number;
}
