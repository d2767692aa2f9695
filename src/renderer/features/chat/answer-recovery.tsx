import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import type { Answer, AnswerMeta } from '../../../shared/chat';
import type { BackendStatus } from '../../../shared/status';
import { stateWords } from '../../components/backend-words';
import { Mark } from '../../components/mark';
import { useNow } from '../../components/use-now';
import { backendName } from '../../i18n/backend-name';
import { useFormat } from '../../i18n/use-format';
import { usePart } from '../../stores/core-store';
import { causeClause } from './reason-words';

type Recovery = NonNullable<AnswerMeta['recovery']>;

/** What stopped, what the answer waits for, and the progress. */
export function AnswerRecovery({ answer, recovery }: { answer: Answer; recovery: Recovery }) {
  const { t } = useTranslation();
  const format = useFormat();
  const awaited = (usePart('backends') ?? []).filter(({ id }) => recovery.awaited.includes(id));
  const now = useNow(1_000, awaited.length > 0);
  const progress = (status: BackendStatus) =>
    t('state.announce', { backend: backendName(status.id, t), state: stateWords(status, t, format, now) });
  const placed = answer.meta.position !== null;
  return (
    <div data-testid="answer-recovery" className="my-1 flex gap-2 text-ink-2">
      <span className="flex h-5 shrink-0 items-center self-start">
        <Mark shape={placed ? 'off' : 'trouble'} />
      </span>
      <div className="min-w-0">
        <p>{[failedWords(recovery, t), placed ? '' : awaitedWords(recovery, t)].filter(Boolean).join(' ')}</p>
        {awaited.length > 0 && (
          <p className="text-ink-3 text-small tabular-nums">
            {awaited.map(progress).join(t('common.separator'))}
          </p>
        )}
      </div>
    </div>
  );
}

function failedWords({ failed }: Recovery, t: TFunction): string {
  if (failed === null) return '';
  const from = backendName(failed.backend, t);
  const reason = causeClause(failed.cause, t);
  return reason === null ? t('answer.hasStopped', { from }) : t('answer.hasStoppedWhy', { from, reason });
}

function awaitedWords({ failed, awaited }: Recovery, t: TFunction): string {
  const [first, second] = awaited;
  if (first === undefined) return t('answer.awaitedNobody');
  if (second !== undefined) return t('answer.awaitedBoth');
  if (failed?.backend === first) return t('answer.awaitedAgain');
  return t('answer.awaited', { backend: backendName(first, t) });
}
