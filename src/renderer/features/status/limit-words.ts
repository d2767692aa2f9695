import type { TFunction } from 'i18next';
import type { HangLimitsView, Ladder } from '../../../shared/incidents';
import { shortModel } from '../../components/backend-words';
import type { Format } from '../../i18n/use-format';

/** What a server does without for now, and when it gets that back. */
export function ladderWords(ladder: Ladder, t: TFunction, format: Format, now: number): string {
  const { rung, rungs, prefillStepTokens: tokens, climbsAt } = ladder;
  return [
    ...(rung === 0 ? [] : [`${givenUp(ladder, t, format)} (${t('ladder.step', { rung, rungs })}).`]),
    ...(tokens === null ? [] : [t('ladder.prefill_steps', { tokens: format.number(tokens) })]),
    ...(climbsAt === null ? [] : [t('ladder.climbs', { time: format.countdown(climbsAt - now) })]),
  ].join(' ');
}

function givenUp(ladder: Ladder, t: TFunction, format: Format): string {
  const { kind, promptCacheBytes, contextTokens, model } = ladder;
  if (kind === 'prompt_cache' && promptCacheBytes !== null)
    return t('ladder.prompt_cache', { size: format.memory(promptCacheBytes) });
  if (kind === 'context' && contextTokens !== null)
    return t('ladder.context', { tokens: format.number(contextTokens) });
  if (kind === 'model' && model !== null) return t('ladder.model', { model: shortModel(model) });
  return t('ladder.plain');
}

/** After how much silence a server counts as hung. */
export function hangWords(
  { silenceMs, stepMs, learned }: HangLimitsView,
  t: TFunction,
  format: Format,
): string {
  const step = format.duration(stepMs);
  const limits =
    silenceMs === null
      ? t('hang.step', { step })
      : t('hang.both', { step, silence: format.duration(silenceMs) });
  return `${limits} (${t(learned ? 'hang.learned' : 'hang.guessed')}).`;
}
