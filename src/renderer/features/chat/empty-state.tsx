import { Code, Hand, Scale } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../components/button';
import { TandemIcon } from '../../components/icons';
import { RecommendedModels } from '../../components/models/recommended-models';
import { useChat } from '../../stores/chat-store';
import { usePart } from '../../stores/core-store';
import { send } from '../../stores/outgoing';
import { perform } from '../../stores/request';
import { focusComposer } from '../../stores/ui-store';
import { FirstStartScreen } from './first-start';
import { useSmallAlone } from './use-small-alone';

/** Before the first message: the first start until it is done, then what Tandem does or how to get a real model. */
export function EmptyState() {
  const capable = usePart('capable');
  const firstStart = usePart('firstStart');
  const isNew = useChat((state) => state.chatId === null);
  if (capable === undefined) return null;
  if (isNew && firstStart?.done === false) return <FirstStartScreen firstStart={firstStart} />;
  return (
    <div className="m-auto w-full max-w-[340px] py-6 text-center">{capable ? <Welcome /> : <NoModel />}</div>
  );
}

function Welcome() {
  const { t } = useTranslation();
  const ideas = [
    { icon: Hand, text: t('chat.tryGreeting') },
    { icon: Code, text: t('chat.tryCode') },
    { icon: Scale, text: t('chat.tryReason') },
  ];
  return (
    <>
      <span className="mx-auto mb-3 grid size-11 place-items-center rounded-[14px] bg-accent-soft text-accent-text">
        <TandemIcon width={24} height={24} />
      </span>
      <h2 className="font-[650] text-title">{t('chat.emptyTitle')}</h2>
      <p className="mt-1.5 text-balance text-ink-2">{t('chat.emptyBody')}</p>
      <ul className="mt-5 grid gap-1.5 text-left">
        {ideas.map(({ icon: Icon, text }) => (
          <li key={text}>
            <button
              type="button"
              onClick={() => {
                send(text);
                focusComposer();
              }}
              className="flex w-full items-center gap-2.5 rounded-[10px] border border-line bg-card px-3 py-2 text-left text-ink-2 transition-colors duration-100 hover:border-line-2 hover:text-ink"
            >
              <Icon size={14} aria-hidden="true" className="shrink-0 text-ink-3" />
              <span className="min-w-0">{text}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function NoModel() {
  const { t } = useTranslation();
  const smallAlone = useSmallAlone();
  return (
    <>
      <h2 className="text-balance font-[650] text-title">
        {t(smallAlone ? 'models.heroTitleSmall' : 'models.heroTitle')}
      </h2>
      <p className="mt-1.5 mb-4 text-balance text-ink-2">
        {t(smallAlone ? 'models.heroBodySmall' : 'models.heroBody')}
      </p>
      <RecommendedModels most={2} />
      <Button tone="plain" onClick={() => void perform('firstStartDone', { done: false })}>
        {t('firstStart.again')}
      </Button>
    </>
  );
}
