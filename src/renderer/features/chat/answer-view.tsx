import { LifeBuoy } from 'lucide-react';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../../shared/chat';
import { Note } from '../../components/note';
import { isSettled } from '../../stores/stream-text';
import { AnswerActions } from './answer-actions';
import { AnswerBody } from './answer-body';
import { AnswerFailure } from './answer-failure';
import { AnswerLabel } from './answer-label';
import { AnswerNotice } from './answer-notice';
import { AnswerReasons } from './answer-reasons';
import { AnswerWaiting } from './answer-waiting';
import { causeClause, rescuedFrom } from './reason-words';

/** One answer: who gave it, why, its text, and what can be done with it. */
export const AnswerView = memo(function AnswerView({ answer }: { answer: Answer }) {
  const { t } = useTranslation();
  const { status, meta, text } = answer;
  const waiting = !isSettled(answer) && text === '';
  return (
    <article
      data-testid="answer"
      data-backend={meta.source ?? ''}
      data-model={meta.model ?? ''}
      data-status={status}
      aria-busy={!isSettled(answer)}
      className="min-w-0"
    >
      <RescueLine answer={answer} />
      <div className="mb-1 grid grid-cols-[minmax(0,1fr)]">
        <AnswerLabel answer={answer} />
        <AnswerReasons answer={answer} />
      </div>
      {meta.droppedTurns > 0 && (
        <Note tone="info" className="mb-2">
          {t('answer.dropped', { count: meta.droppedTurns })}
        </Note>
      )}
      {waiting && <AnswerWaiting answer={answer} />}
      {text !== '' && <AnswerBody answer={answer} />}
      {meta.notice !== null && <AnswerNotice answer={answer} notice={meta.notice} />}
      {status === 'failed' && meta.notice === null && <AnswerFailure answer={answer} />}
      {status === 'stopped' && meta.notice === null && (
        <p className="mt-1.5 text-ink-3 text-small">
          {t(text === '' ? 'answer.stoppedEmpty' : 'answer.stopped')}
        </p>
      )}
      <AnswerActions answer={answer} />
    </article>
  );
});

/** One quiet line for a server that failed before its first word: who stopped, who stepped in. */
function RescueLine({ answer }: { answer: Answer }) {
  const { t } = useTranslation();
  const { source, reasons } = answer.meta;
  if (source !== 'mlx' && source !== 'ollama') return null;
  const rescue = rescuedFrom(reasons, source);
  if (rescue === null) return null;
  const reason = causeClause(rescue.cause, t);
  const names = { from: t(`backend.${rescue.from}`), to: t(`backend.${source}`) };
  const [plain, why] = isSettled(answer)
    ? (['answer.rescued', 'answer.rescuedWhy'] as const)
    : (['answer.rescuing', 'answer.rescuingWhy'] as const);
  return (
    <p data-testid="answer-rescue" className="mb-0.5 flex gap-1.5 text-ink-2 text-small">
      <LifeBuoy size={13} aria-hidden="true" className="mt-[2.5px] shrink-0 text-warn" />
      <span>{reason === null ? t(plain, names) : t(why, { ...names, reason })}</span>
    </p>
  );
}
