import { ArrowDownToLine } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../i18n/use-format';
import { showView } from '../stores/ui-store';
import { cx } from './cx';
import { Mark } from './mark';
import { isUnderWay, joinProgress, leftWords, percentOf } from './models/download-words';
import { useDownloads, useTitles } from './models/use-downloads';

/** Running downloads as one line, or the one that failed last; nothing else. Leads to the models. */
export function StripDownloads({ wide }: { wide: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const titleOf = useTitles();
  const downloads = useDownloads();
  const active = downloads.filter(isUnderWay);
  const failed = downloads.findLast(({ state }) => state === 'failed');
  const [first] = active;
  if (!first && !failed) return null;
  const progress = joinProgress(active);
  const percent = percentOf(progress);
  const name = first
    ? active.length === 1
      ? titleOf(first)
      : t('downloads.several', { count: active.length })
    : t('downloads.failedOf', { title: failed ? titleOf(failed) : '' });
  const facts = first
    ? [percent === null ? null : format.percent(percent), leftWords(progress, t, format)].filter(Boolean)
    : [];
  return (
    <button
      type="button"
      data-testid="strip-downloads"
      onClick={() => showView('models')}
      className={cx(
        'relative flex min-w-0 items-center gap-1.5 text-ink-2 hover:bg-hover',
        wide ? 'h-7 rounded-control px-2' : 'h-7 w-full shrink-0 border-line border-b px-3 text-small',
      )}
    >
      {first ? (
        <ArrowDownToLine size={13} aria-hidden="true" className="shrink-0 text-accent-text" />
      ) : (
        <Mark shape="trouble" />
      )}
      <b className="min-w-0 truncate font-[550] text-ink">{name}</b>
      <span className="shrink-0 tabular-nums">{facts.join(t('common.separator'))}</span>
      {percent !== null && (
        <i
          aria-hidden="true"
          className="absolute bottom-0 left-0 h-0.5 bg-accent"
          style={{ width: `${percent}%` }}
        />
      )}
    </button>
  );
}
