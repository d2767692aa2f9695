import { type CompletionRequest, hasImage } from '../../shared/completion';
import { categoryByRules, lastUserText } from './categories';
import type { CategoryDecision } from './types';

/** The category that the client gave, else the one that the rules find. */
export function decideByRules(request: CompletionRequest): CategoryDecision {
  const given = request.category ?? (request.model.kind === 'auto' ? request.model.category : undefined);
  if (given) return { category: given, evidence: ['explicit:category'] };
  // Words about a picture say nothing of the work it takes.
  if (request.messages.some(hasImage)) return { category: 'general', evidence: ['rule:image'] };
  return categoryByRules(lastUserText(request));
}
