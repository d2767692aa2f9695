import type { Backend } from '../backends/backend';
import { childOf, within } from '../ports/bounded';
import type { Clock } from '../ports/clock';
import { backendDown } from './failures';

/** A backend to wait for, and its limit in ms. */
export interface Awaited {
  backend: Backend;
  limitMs: number;
}

/**
 * Resolves with the first of these backends that is up; on a tie the earlier in the list. When none comes up, rejects
 * with the failure of the first in the list; on abort with the signal's reason. Ends all waits when it settles.
 */
export async function firstUp(
  clock: Clock,
  awaited: readonly Awaited[],
  signal: AbortSignal,
): Promise<Backend> {
  const { controller, dispose } = childOf(signal);
  const waits = awaited.map(async ({ backend, limitMs }) => {
    await within(
      clock,
      limitMs,
      controller.signal,
      (inner) => backend.ensureReady(inner),
      () => backendDown(backend.id),
    );
    return backend;
  });
  try {
    return await Promise.any(waits);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    controller.abort();
    dispose();
  }
}
