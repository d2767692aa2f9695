import type { TFunction } from 'i18next';
import { Gauge } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../../shared/chat';
import { shortModel } from '../../components/backend-words';
import { Button } from '../../components/button';
import { type Format, useFormat } from '../../i18n/use-format';
import { retry } from '../../stores/chat-store';

/** A request that the memory guard held back: the decision with its figures, which the user may overrule once. */
export function AnswerSpared({ answer, details }: { answer: Answer; details: Record<string, unknown> }) {
  const { t } = useTranslation();
  const format = useFormat();
  const why = sparedWords(details, t, format);
  const target = answer.meta.target ?? { kind: 'auto' };
  return (
    <div
      data-testid="answer-spared"
      className="mt-1.5 flex gap-2 rounded-control border border-line-2 bg-card px-2.5 py-2 text-small"
    >
      <Gauge size={14} aria-hidden="true" className="mt-[2px] shrink-0 text-ink-2" />
      <div className="min-w-0 grow">
        <p className="font-[600]">{t('answer.spared')}</p>
        <p className="text-ink-2 tabular-nums">
          {why !== null && `${why} `}
          {t(details.rule === 'buffer_limit' ? 'answer.sparedSmaller' : 'answer.sparedBody')}
        </p>
        <div className="mt-1.5 flex flex-wrap gap-1.5">
          <Button onClick={() => void retry(answer.id, target)}>{t('common.retry')}</Button>
          <Button title={t('answer.tryAnywayRisk')} onClick={() => void retry(answer.id, target, true)}>
            {t('answer.tryAnyway')}
          </Button>
        </div>
      </div>
    </div>
  );
}

/** The figures of the decision as a sentence; null if one of them is unknown. */
function sparedWords(
  { rule, model, neededBytes, freeBytes }: Record<string, unknown>,
  t: TFunction,
  format: Format,
): string | null {
  if (rule === 'smaller') return t('answer.sparedLadder');
  if (typeof neededBytes !== 'number' || typeof freeBytes !== 'number') return null;
  const figures = {
    model: typeof model === 'string' ? shortModel(model) : '',
    needed: format.memory(neededBytes),
    free: format.memory(freeBytes),
  };
  if (figures.model === '') return t('answer.sparedNumbers', figures);
  if (rule === 'buffer_limit') return t('answer.sparedBuffer', figures);
  return t(rule === 'working_set' ? 'answer.sparedGpu' : 'answer.sparedModel', figures);
}
