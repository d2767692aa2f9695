import { ArrowLeftRight, LifeBuoy } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../../shared/chat';
import { useInstances } from '../../components/backends';
import { backendName } from '../../i18n/backend-name';
import { isSettled } from '../../stores/stream-text';
import { causeClause, insteadOf, reasonSentence, rescuedFrom } from './reason-words';

/** One quiet line above an answer from a different server than planned: what happened, and who took over. */
export function AnswerStory({ answer }: { answer: Answer }) {
  const { t } = useTranslation();
  const instances = useInstances();
  const { source, reasons, target } = answer.meta;
  if (source === null || source === 'app') return null;
  const to = backendName(source, t);
  const rescue = rescuedFrom(reasons, source, instances);
  if (rescue !== null) {
    const reason = causeClause(rescue.cause, t);
    const names = { from: backendName(rescue.from, t), to };
    const [plain, why] = isSettled(answer)
      ? (['answer.rescued', 'answer.rescuedWhy'] as const)
      : (['answer.rescuing', 'answer.rescuingWhy'] as const);
    return (
      <Line testId="answer-rescue" icon={<LifeBuoy size={13} aria-hidden="true" className={ICON} />}>
        {reason === null ? t(plain, names) : t(why, { ...names, reason })}
      </Line>
    );
  }
  if (target === undefined || target.kind === 'auto' || target.backend === source) return null;
  const cause = insteadOf(target.backend, reasons);
  return (
    <Line testId="answer-instead" icon={<ArrowLeftRight size={13} aria-hidden="true" className={ICON} />}>
      {t('answer.notAsked', { from: backendName(target.backend, t), to })}{' '}
      {cause !== null && reasonSentence(cause, t, instances)}
    </Line>
  );
}

const ICON = 'mt-[2.5px] shrink-0 text-warn';

function Line({ testId, icon, children }: { testId: string; icon: ReactNode; children: ReactNode }) {
  return (
    <p data-testid={testId} className="mb-0.5 flex gap-1.5 text-ink-2 text-small">
      {icon}
      <span>{children}</span>
    </p>
  );
}
