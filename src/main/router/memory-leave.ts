import type { CompletionRequest, Reason } from '../../shared/domain';
import { isTandemError } from '../../shared/errors';
import type { Asked, MemoryGrant } from '../memory/memory-gate';
import { heldTokens } from './candidates';
import type { RequestRun } from './request-run';
import type { Candidate, RouteSnapshot } from './types';

/** Who decides whether work may take its memory now. */
export interface MemoryAuthority {
  admit(asked: Asked, signal: AbortSignal): Promise<MemoryGrant>;
}

interface Wish {
  candidate: Candidate;
  hasNext: boolean;
  expectedMs: number;
  snapshot: RouteSnapshot;
}

const FREE: MemoryGrant = { reasons: [], release() {} };

/**
 * Asks for memory before a backend gets a request; without an authority everything may go. What was decided stands in the
 * run's reasons. Rejects with `memory_critical`, or with the signal's reason.
 */
export async function askForMemory(
  authority: MemoryAuthority | undefined,
  context: Wish & { run: RequestRun },
): Promise<MemoryGrant> {
  if (!authority) return FREE;
  const { run } = context;
  try {
    const grant = await authority.admit(askedBy(run.request, context), run.signal);
    run.addReasons(grant.reasons);
    return grant;
  } catch (error) {
    const reason = isTandemError(error) ? error.details.reason : null;
    if (typeof reason === 'string') run.addReasons([reason as Reason]);
    throw error;
  }
}

function askedBy(request: CompletionRequest, { candidate, hasNext, expectedMs, snapshot }: Wish): Asked {
  const { backend, model } = candidate;
  return {
    backend,
    model,
    purpose: 'request',
    tokens: heldTokens(backend, model, request, snapshot),
    expectedS: expectedMs / 1000,
    mayMove: hasNext && !request.strict,
    overruled: request.overruleMemory ?? false,
  };
}
