import type { ModelInfo } from '../../shared/domain';
import { isTandemError } from '../../shared/errors';
import type { BackendRequest } from '../backends/backend';
import { contextOf, type FittedMessages, fitToContext } from '../router/context';
import type { TryContext } from './try-context';

/** Steps by which a conversation gets shorter after its server counted more tokens than were estimated. */
const SHORTER = 0.8;
const LEAST_SHARE = 0.01;

/** The request in the form that the candidate's model receives; without the oldest turns if the client allows that. */
export function fittedRequest(context: TryContext): { request: BackendRequest; droppedTurns: number } {
  const { run, candidate } = context;
  const { messages, droppedTurns } = fitted(context);
  const pinnedContext = modelOf(context)?.pinnedContext;
  const request = { ...run.request, model: candidate.model, messages };
  return { request: pinnedContext === undefined ? request : { ...request, pinnedContext }, droppedTurns };
}

/** The same attempt with fewer turns after its server found them too long; null = not allowed, or none are left. */
export function shortened(context: TryContext, error: unknown): TryContext | null {
  if (!isTandemError(error) || error.code !== 'context_exceeded') return null;
  const before = fitted(context).droppedTurns;
  for (let share = context.contextShare * SHORTER; share > LEAST_SHARE; share *= SHORTER) {
    const next = { ...context, contextShare: share };
    if (fitted(next).droppedTurns > before) return next;
  }
  return null;
}

/** The candidate's model; undefined before its server has been listed. */
export function modelOf({ snapshot, candidate }: Pick<TryContext, 'snapshot' | 'candidate'>) {
  return snapshot.models.find(
    (model: ModelInfo) => model.backend === candidate.backend && model.name === candidate.model,
  );
}

function fitted(context: TryContext): FittedMessages {
  const { request } = context.run;
  const known = modelOf(context);
  const tokens = known && request.mayLeaveOut ? contextOf(known) : null;
  return fitToContext(request, tokens && tokens * context.contextShare);
}
