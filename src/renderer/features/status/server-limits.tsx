import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import type { HangLimitsView, Ladder } from '../../../shared/incidents';
import type { BackendStatus } from '../../../shared/status';
import { shortModel } from '../../components/backend-words';
import { type Format, useFormat } from '../../i18n/use-format';

/** What a server gives up for now, and after how much silence it counts as hung: quiet lines below its figures. */
export function ServerLimits({ status, now }: { status: BackendStatus; now: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { ladder, hangLimits, state } = status;
  const small = ladder !== null && ladder.rung > 0;
  const judged = hangLimits !== null && (state === 'ready' || state === 'busy' || state === 'adopted');
  if (!small && !judged) return null;
  return (
    <div className="mt-2 grid gap-1 text-small leading-snug">
      {small && <p className="text-ink-2">{ladderWords(ladder, t, format, now)}</p>}
      {judged && <p className="text-ink-3">{hangWords(hangLimits, t, format)}</p>}
    </div>
  );
}

function ladderWords(ladder: Ladder, t: TFunction, format: Format, now: number): string {
  const step = t('ladder.step', { rung: ladder.rung, rungs: ladder.rungs });
  const back = ladder.climbsAt;
  const climbs = back === null ? '' : ` ${t('ladder.climbs', { time: format.eta(Math.max(0, back - now)) })}`;
  return `${givenUp(ladder, t, format)} (${step}).${climbs}`;
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

function hangWords({ silenceMs, stepMs, learned }: HangLimitsView, t: TFunction, format: Format): string {
  const step = format.duration(stepMs);
  const limits =
    silenceMs === null
      ? t('hang.step', { step })
      : t('hang.both', { step, silence: format.duration(silenceMs) });
  return `${limits} (${t(learned ? 'hang.learned' : 'hang.guessed')}).`;
}
