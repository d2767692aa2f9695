import { Code, Hand, Scale } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { TandemIcon } from '../../components/icons';
import { ModelSuggestions } from '../../components/model-suggestions';
import { useFormat } from '../../i18n/use-format';
import { usePart } from '../../stores/core-store';
import { send } from '../../stores/outgoing';
import { focusComposer } from '../../stores/ui-store';
import { useSmallAlone } from './use-small-alone';

/** Before the first message: what Tandem does, or, without a real model, how to get one. */
export function EmptyState() {
  const capable = usePart('capable');
  if (capable === undefined) return null;
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
  const format = useFormat();
  const memory = usePart('memory');
  const some = (usePart('suggestions') ?? []).length > 0;
  const smallAlone = useSmallAlone();
  const fitting = memory
    ? t('models.heroBody', { total: format.memory(memory.totalBytes) })
    : t('models.heroBodyPlain');
  const [withSmall, without] = some
    ? [t('models.heroBodySmall'), fitting]
    : [t('models.heroNoneSmall'), t('answer.noModelNone')];
  return (
    <>
      <h2 className="text-balance font-[650] text-title">
        {t(smallAlone ? 'models.heroTitleSmall' : 'models.heroTitle')}
      </h2>
      <p className="mt-1.5 mb-4 text-balance text-ink-2">{smallAlone ? withSmall : without}</p>
      <ModelSuggestions />
    </>
  );
}
