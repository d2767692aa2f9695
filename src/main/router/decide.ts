import type { CompletionRequest } from '../../shared/completion';
import { needsOf } from './candidates';
import { categoryByRules, lastUserText } from './categories';
import type { CategoryDecision } from './types';

/** The category that the client gave, else the one that the rules find. */
export function decideByRules(request: CompletionRequest): CategoryDecision {
  const given = request.category ?? (request.model.kind === 'auto' ? request.model.category : undefined);
  if (given) return { category: given, evidence: ['explicit:category'] };
  // Words about a picture say nothing of the work it takes.
  if (needsOf(request).backend.includes('images')) return { category: 'general', evidence: ['rule:image'] };
  return categoryByRules(lastUserText(request));
}
