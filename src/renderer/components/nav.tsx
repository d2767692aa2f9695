import { useTranslation } from 'react-i18next';
import { showView, useUi, type View } from '../stores/ui-store';
import { cx } from './cx';
import { ChatIcon, ConnectIcon, ModelsIcon, SettingsIcon, StatusIcon } from './icons';

const ENTRIES = [
  { view: 'chat', icon: ChatIcon },
  { view: 'models', icon: ModelsIcon },
  { view: 'status', icon: StatusIcon },
  { view: 'connect', icon: ConnectIcon },
  { view: 'settings', icon: SettingsIcon },
] as const satisfies readonly { view: View; icon: unknown }[];

/** The five views: a bar at the bottom of the popover, a list at the side of a wide window. */
export function Nav({ wide }: { wide: boolean }) {
  const { t } = useTranslation();
  const view = useUi((state) => state.view);
  return (
    <nav
      aria-label={t('nav.label')}
      className={cx(
        'flex shrink-0',
        wide ? 'flex-col gap-0.5 p-2' : 'gap-0.5 border-line border-t px-1.5 pt-1.5 pb-2',
      )}
    >
      {ENTRIES.map(({ view: entry, icon: Icon }) => {
        const current = entry === view;
        return (
          <button
            key={entry}
            type="button"
            data-testid={`nav-${entry}`}
            title={t(`nav.${entry}`)}
            aria-current={current ? 'page' : undefined}
            onClick={() => showView(entry)}
            className={cx(
              'flex items-center rounded-control transition-colors duration-100',
              wide ? 'h-8 gap-2.5 px-2' : 'h-11 min-w-0 flex-1 flex-col justify-center gap-0.5 text-mini',
              current
                ? 'bg-accent-soft font-[600] text-accent-text'
                : 'text-ink-3 hover:bg-hover hover:text-ink',
            )}
          >
            <Icon width={17} height={17} />
            <span className="max-w-full truncate max-[330px]:sr-only">{t(`nav.${entry}`)}</span>
          </button>
        );
      })}
    </nav>
  );
}
