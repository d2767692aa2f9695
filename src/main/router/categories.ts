import type { Category, CompletionRequest, Reason } from '../../shared/domain';
import { CODE_SHAPES, codeShapeOf } from './rules/code-shapes';
import { ENGLISH_RULES } from './rules/english';
import { type Rule, ruleTextOf } from './rules/rule';
import { RUSSIAN_RULES } from './rules/russian';
import { isSmallTalk } from './small-talk';

export interface CategoryDecision {
  category: Category;
  reason: Reason;
}

/** The text that rules, gate and echo guard read: the last user message, or the raw prompt. */
export function lastUserText(request: Pick<CompletionRequest, 'messages' | 'rawPrompt'>): string {
  if (request.rawPrompt !== undefined) return request.rawPrompt;
  return request.messages.findLast((message) => message.role === 'user')?.content ?? '';
}

/**
 * Decides a category by rules alone, in microseconds: of a long text only the beginning and the end are read. The first
 * match wins:
 * 1. small talk and nothing else; 2. the text contains code; 3. a rule of the text's language, in the order of its
 * table; 4. `general`.
 */
export function categoryByRules(text: string): CategoryDecision {
  if (isSmallTalk(text)) return { category: 'greeting', reason: 'rule:greeting' };
  const shape = codeShapeOf(text);
  if (shape) return { category: 'coding', reason: `rule:${CODE_SHAPES[shape]}` };
  const ruleText = ruleTextOf(text);
  const rules: readonly Rule[] = ruleText.cyrillic ? RUSSIAN_RULES : ENGLISH_RULES;
  const rule = rules.find((candidate) => candidate.test(ruleText));
  return rule
    ? { category: rule.category, reason: `rule:${rule.name}` }
    : { category: 'general', reason: 'rule:default' };
}
