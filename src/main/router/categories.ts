import { type CompletionRequest, textOf } from '../../shared/completion';
import { CODE_SHAPES, codeShapeOf } from './rules/code-shapes';
import { ENGLISH_RULES } from './rules/english';
import { type Rule, ruleTextOf } from './rules/rule';
import { RUSSIAN_RULES } from './rules/russian';
import { isSmallTalk } from './small-talk';
import type { CategoryDecision } from './types';

/** The text that rules, gate and echo guard read: the last user message, or the raw prompt. */
export function lastUserText(request: Pick<CompletionRequest, 'messages' | 'rawPrompt'>): string {
  if (request.rawPrompt !== undefined) return request.rawPrompt;
  const last = request.messages.findLast((message) => message.role === 'user');
  return last ? textOf(last) : '';
}

/**
 * Decides a category by rules alone, in microseconds: of a long text only the beginning and the end are read. The first
 * match wins:
 * 1. small talk and nothing else; 2. the text contains code; 3. a rule of the text's language, in the order of its
 * table; 4. `general`.
 */
export function categoryByRules(text: string): CategoryDecision {
  if (isSmallTalk(text)) return { category: 'greeting', evidence: ['rule:greeting'] };
  const shape = codeShapeOf(text);
  if (shape) return { category: 'coding', evidence: [`rule:${CODE_SHAPES[shape]}`] };
  const ruleText = ruleTextOf(text);
  const rules: readonly Rule[] = ruleText.cyrillic ? RUSSIAN_RULES : ENGLISH_RULES;
  const rule = rules.find((candidate) => candidate.test(ruleText));
  return rule
    ? { category: rule.category, evidence: [`rule:${rule.name}`] }
    : { category: 'general', evidence: ['rule:default'] };
}
