import { Sprout } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Answer, AnswerMeta } from '../../../shared/chat';
import { useFirstOf } from '../../components/backends';
import { Button } from '../../components/button';
import { RecommendedModels } from '../../components/models/recommended-models';
import { backendName } from '../../i18n/backend-name';
import { retry } from '../../stores/chat-store';
import { usePart } from '../../stores/core-store';

/** Tandem's own message: what is missing, and what to do about it. */
export function AnswerNotice({
  answer,
  notice,
}: {
  answer: Answer;
  notice: NonNullable<AnswerMeta['notice']>;
}) {
  const { t } = useTranslation();
  const light = useFirstOf('light');
  switch (notice) {
    case 'no_model':
      return <NoModel language={answer.meta.error?.details.language} />;
    case 'small_model':
      return <SmallModel />;
    case 'interrupted':
      return <p className="mt-1.5 text-ink-3 text-small">{t('answer.interrupted')}</p>;
    case 'declined':
      return <p>{t('answer.declined')}</p>;
    case 'ollama_down':
      return (
        <div>
          <p>{t('answer.ollamaDown')}</p>
          <div className="mt-2 flex flex-wrap gap-1.5">
            <Button onClick={() => void retry(answer.id, { kind: 'auto' })}>{t('common.retry')}</Button>
            {light && (
              <Button onClick={() => void retry(answer.id, { kind: 'backend', backend: light.id })}>
                {t('chat.ask', { backend: backendName(light.id, t) })}
              </Button>
            )}
          </div>
        </div>
      );
  }
}

/** Whether the catalogue has a model that fits this machine. */
function useSomeFit(): boolean {
  return (usePart('firstStart')?.suggestions ?? []).length > 0;
}

/** No model can answer, or (with its code) none knows the language: shown in that language if Tandem has it. */
function NoModel({ language }: { language: unknown }) {
  const { t, i18n } = useTranslation();
  const some = useSomeFit();
  const lng = language === 'ru' ? 'ru' : i18n.language;
  const [title, body, none] =
    typeof language === 'string'
      ? (['answer.languageTitle', 'answer.languageBody', 'answer.languageNone'] as const)
      : (['answer.noModelTitle', 'answer.noModelBody', 'answer.noModelNone'] as const);
  return (
    <div>
      <div lang={lng}>
        <p className="font-[600]">{t(title, { lng })}</p>
        <p className="mb-2.5 text-ink-2">{t(some ? body : none, { lng })}</p>
      </div>
      <RecommendedModels most={2} language={typeof language === 'string' ? language : undefined} />
    </div>
  );
}

/** Below an answer of the small model: what it is, and, while there is no other model, a suggestion. */
function SmallModel() {
  const { t } = useTranslation();
  const some = useSomeFit();
  const wanting = usePart('capable') === false && some;
  return (
    <div data-testid="answer-small-model" className="mt-2 max-w-[420px]">
      <p className="mb-1.5 flex gap-1.5 text-ink-2 text-small">
        <Sprout size={13} aria-hidden="true" className="mt-[2.5px] shrink-0 text-ink-3" />
        {t(wanting ? 'answer.smallModelGet' : 'answer.smallModel')}
      </p>
      {wanting && <RecommendedModels most={1} />}
    </div>
  );
}
