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
import { AnswerRecovery } from './answer-recovery';
import { AnswerStory } from './answer-story';
import { AnswerWaiting } from './answer-waiting';

/** One answer: who gave it, why, its text, and its actions. */
export const AnswerView = memo(function AnswerView({ answer }: { answer: Answer }) {
  const { t } = useTranslation();
  const { status, meta, text } = answer;
  // Also true after a break: the text above it came from another server.
  const waiting = !isSettled(answer) && text.length === (meta.breaks.at(-1)?.at ?? 0);
  return (
    <article
      data-testid="answer"
      data-message={answer.id}
      data-backend={meta.source ?? ''}
      data-model={meta.model ?? ''}
      data-status={status}
      aria-busy={!isSettled(answer)}
      className="min-w-0"
    >
      <AnswerStory answer={answer} />
      <div className="mb-1 grid grid-cols-[minmax(0,1fr)]">
        <AnswerLabel answer={answer} />
        <AnswerReasons answer={answer} />
      </div>
      {meta.droppedTurns > 0 && (
        <Note tone="info" className="mb-2">
          {t('answer.dropped', { count: meta.droppedTurns })}
        </Note>
      )}
      {text !== '' && <AnswerBody answer={answer} />}
      {meta.recovery && <AnswerRecovery answer={answer} recovery={meta.recovery} />}
      {waiting && <AnswerWaiting answer={answer} />}
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
