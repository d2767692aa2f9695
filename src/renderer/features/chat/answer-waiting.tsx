import { useTranslation } from 'react-i18next';
import type { Answer } from '../../../shared/chat';
import { Mark } from '../../components/mark';
import { placeWords } from '../../components/place-words';
import { backendName } from '../../i18n/backend-name';
import { useFormat } from '../../i18n/use-format';

/** Before the first word: the place in the queue, or which server is prefilling. During a recovery, only the place. */
export function AnswerWaiting({ answer }: { answer: Answer }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { source, position, etaMs, recovery } = answer.meta;
  if (position === null) {
    if (recovery) return null;
    const backend = source === null || source === 'app' ? null : backendName(source, t);
    return (
      <p className="flex h-6 items-center gap-2 text-ink-2">
        <Mark shape="working" />
        {backend === null ? t('answer.routing') : t('answer.reading', { backend })}
      </p>
    );
  }
  const place = placeWords(position, t);
  return (
    <p className="flex min-h-6 items-center gap-2 text-ink-2 tabular-nums">
      <Mark shape="off" />
      {etaMs === null ? place : `${place}, ${format.eta(etaMs)}`}
    </p>
  );
}
