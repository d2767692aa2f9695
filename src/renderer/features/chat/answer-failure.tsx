import { RotateCcw } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../../shared/chat';
import { useInstances } from '../../components/backends';
import { Button } from '../../components/button';
import { Note } from '../../components/note';
import { backendName } from '../../i18n/backend-name';
import { retry } from '../../stores/chat-store';
import { errorSentence } from '../../stores/request';
import { AnswerSpared } from './answer-spared';

/** The error, its cure, and a retry button. The code is only in the tooltip. */
export function AnswerFailure({ answer }: { answer: Answer }) {
  const { t } = useTranslation();
  const instances = useInstances();
  const { error } = answer.meta;
  const kept = error?.code === 'memory_critical' && typeof error.details.rule === 'string';
  if (kept) return <AnswerSpared answer={answer} details={error.details} />;
  const again = (target: Parameters<typeof retry>[1]) => void retry(answer.id, target);
  return (
    <Note tone="bad" className="mt-1.5">
      <p title={error ? `${error.code}: ${error.message}` : undefined}>
        {error ? errorSentence(error) : t('answer.failed')}
      </p>
      <div className="-ml-2.5 mt-0.5 flex flex-wrap">
        <Button tone="plain" onClick={() => again({ kind: 'auto' })}>
          <RotateCcw size={12} aria-hidden="true" />
          {t('common.retry')}
        </Button>
        {instances
          .filter(({ id }) => id !== answer.meta.source)
          .map(({ id: backend }) => (
            <Button key={backend} tone="plain" onClick={() => again({ kind: 'backend', backend })}>
              {t('chat.ask', { backend: backendName(backend, t) })}
            </Button>
          ))}
      </div>
    </Note>
  );
}
