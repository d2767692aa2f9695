import { Tabs } from 'radix-ui';
import { useTranslation } from 'react-i18next';
import type { Answer } from '../../../shared/chat';
import { useLooks } from '../../components/backends';
import { backendName } from '../../i18n/backend-name';

interface AnswerTabsProps {
  answers: readonly Answer[];
  shown: string;
  onShow: (answerId: string) => void;
}

/** Several answers to one message: a tab for each, with the mark of its server. */
export function AnswerTabs({ answers, shown, onShow }: AnswerTabsProps) {
  const { t } = useTranslation();
  const lookOf = useLooks();
  return (
    <Tabs.Root value={shown} onValueChange={onShow} className="-mb-2">
      <Tabs.List aria-label={t('chat.answers')} className="inline-flex gap-0.5 rounded-control bg-fill p-0.5">
        {answers.map((answer, index) => {
          const source = answer.meta.source ?? 'app';
          const { Icon } = lookOf(source);
          return (
            <Tabs.Trigger
              key={answer.id}
              value={answer.id}
              aria-label={t('chat.answerOf', {
                n: index + 1,
                total: answers.length,
                backend: backendName(source, t),
              })}
              className="inline-flex h-6 items-center gap-1.5 rounded-badge px-2 text-ink-2 text-mini tabular-nums data-[state=active]:bg-card data-[state=active]:text-ink data-[state=active]:shadow-sm"
            >
              <Icon width={11} height={11} />
              {index + 1}
            </Tabs.Trigger>
          );
        })}
      </Tabs.List>
    </Tabs.Root>
  );
}
