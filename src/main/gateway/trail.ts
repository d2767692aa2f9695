import type { BackendId, Category, Reason } from '../../shared/domain';
import type { DispatchEvent } from '../dispatch/types';

/** What is known of one request's path; the source of the response headers and of the last frame's `tandem`. */
export interface Trail {
  category: Category | null;
  backend: BackendId | null;
  model: string | null;
  queueMs: number | null;
  /** Ms from the backend's acceptance of the request to its first token. */
  ttftMs: number | null;
  reasons: Reason[];
  breaks: { from: BackendId; to: BackendId; reason: string }[];
}

export function emptyTrail(): Trail {
  return { category: null, backend: null, model: null, queueMs: null, ttftMs: null, reasons: [], breaks: [] };
}

/** Updates the trail from an event; text and progress change nothing. */
export function follow(trail: Trail, event: DispatchEvent): void {
  switch (event.type) {
    case 'routed':
      trail.category = event.category;
      addReasons(trail, event.reasons);
      return;
    case 'started':
      trail.queueMs = event.queueMs;
      trail.ttftMs = event.ttftMs;
      answeredBy(trail, event);
      return;
    case 'end':
      answeredBy(trail, event);
      return;
    case 'break':
      trail.breaks.push({ from: event.from, to: event.to, reason: event.reason });
      return;
    case 'attempt':
      trail.queueMs = event.queueMs;
      return;
    case 'waiting':
    case 'recovering':
    case 'prefill':
    case 'text':
    case 'thinking':
    case 'tool_call':
      return;
    default:
      event satisfies never;
  }
}

function answeredBy(trail: Trail, event: { backend: BackendId; model: string; reasons: Reason[] }): void {
  trail.backend = event.backend;
  trail.model = event.model;
  addReasons(trail, event.reasons);
}

function addReasons(trail: Trail, reasons: readonly Reason[]): void {
  for (const reason of reasons) if (!trail.reasons.includes(reason)) trail.reasons.push(reason);
}
