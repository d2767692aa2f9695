import { useTranslation } from 'react-i18next';
import type { Answer, AnswerMeta } from '../../../shared/chat';
import { Button } from '../../components/button';
import { ModelSuggestions } from '../../components/model-suggestions';
import { retry } from '../../stores/chat-store';
import { usePart } from '../../stores/core-store';

/** Tandem's own words: what is missing, and what to do about it. */
export function AnswerNotice({
  answer,
  notice,
}: {
  answer: Answer;
  notice: NonNullable<AnswerMeta['notice']>;
}) {
  const { t } = useTranslation();
  const suggestions = usePart('suggestions') ?? [];
  switch (notice) {
    case 'no_model':
      return (
        <div>
          <p className="font-[600]">{t('answer.noModelTitle')}</p>
          <p className="mb-2.5 text-ink-2">
            {t(suggestions.length > 0 ? 'answer.noModelBody' : 'answer.noModelNone')}
          </p>
          <ModelSuggestions />
        </div>
      );
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
            <Button onClick={() => void retry(answer.id, { kind: 'backend', backend: 'mlx' })}>
              {t('chat.ask', { backend: t('backend.mlx') })}
            </Button>
          </div>
        </div>
      );
  }
}
