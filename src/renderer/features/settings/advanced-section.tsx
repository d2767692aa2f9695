import { ChevronRight } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { NumberRow } from './setting-rows';

const ROWS = [
  { key: 'rateLimitMax', title: 'rateMax', hint: 'rateMaxHint', min: 0, max: 1_000_000, seconds: false },
  { key: 'rateLimitWindowS', title: 'rateWindow', hint: null, min: 1, max: 86_400, seconds: true },
  {
    key: 'requestTimeoutS',
    title: 'requestTimeout',
    hint: 'requestTimeoutHint',
    min: 1,
    max: 86_400,
    seconds: true,
  },
  {
    key: 'restartBackoffS',
    title: 'restartBackoff',
    hint: 'restartBackoffHint',
    min: 0.05,
    max: 300,
    seconds: true,
  },
  {
    key: 'restartStableS',
    title: 'restartStable',
    hint: 'restartStableHint',
    min: 1,
    max: 86_400,
    seconds: true,
  },
] as const;

/** Settings that hardly anyone changes, collapsed initially. */
export function AdvancedSection() {
  const { t } = useTranslation();
  return (
    <details className="group">
      <summary className="flex min-h-6 cursor-default items-center gap-1 rounded-badge px-1 font-[600] text-ink-2 text-small">
        <ChevronRight
          size={13}
          aria-hidden="true"
          className="transition-transform duration-100 group-open:rotate-90"
        />
        {t('settings.advanced')}
      </summary>
      <div className="mt-1.5 divide-y divide-line rounded-card border border-line bg-card">
        {ROWS.map(({ key, title, hint, min, max, seconds }) => (
          <NumberRow
            key={key}
            of={key}
            title={t(`settings.${title}`)}
            hint={hint === null ? undefined : t(`settings.${hint}`)}
            min={min}
            max={max}
            unit={seconds ? t('settings.secondsUnit') : undefined}
          />
        ))}
      </div>
      <p className="px-1 pt-1.5 text-ink-3 text-small">{t('settings.advancedHint')}</p>
    </details>
  );
}
