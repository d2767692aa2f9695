import type { CompletionRequest, Reason } from '../../shared/domain';
import { isTandemError } from '../../shared/errors';
import type { Asked, MemoryGrant } from '../memory/memory-gate';
import { neededTokens } from './context';
import type { RequestRun } from './request-run';
import type { Candidate } from './types';

/** Who decides whether work may take its memory now. */
export interface MemoryAuthority {
  admit(asked: Asked, signal: AbortSignal): Promise<MemoryGrant>;
}

const FREE: MemoryGrant = { reasons: [], release() {} };

/**
 * Asks for memory before a backend gets a request; without an authority everything may go. What was decided stands in the
 * run's reasons. Rejects with `memory_critical`, or with the signal's reason.
 */
export async function askForMemory(
  authority: MemoryAuthority | undefined,
  { run, candidate, hasNext }: { run: RequestRun; candidate: Candidate; hasNext: boolean },
): Promise<MemoryGrant> {
  if (!authority) return FREE;
  try {
    const grant = await authority.admit(askedBy(run.request, candidate, hasNext), run.signal);
    run.addReasons(grant.reasons);
    return grant;
  } catch (error) {
    const reason = isTandemError(error) ? error.details.reason : null;
    if (typeof reason === 'string') run.addReasons([reason as Reason]);
    throw error;
  }
}

function askedBy(request: CompletionRequest, { backend, model }: Candidate, hasNext: boolean): Asked {
  return {
    backend,
    model,
    purpose: 'request',
    tokens: neededTokens(request),
    mayMove: hasNext && !request.strict,
    overruled: request.overruleMemory ?? false,
  };
}
