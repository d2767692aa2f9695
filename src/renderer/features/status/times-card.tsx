import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ModelTimes } from '../../../shared/status';
import { shortModel } from '../../components/backend-words';
import { Badge } from '../../components/badge';
import { Card } from '../../components/card';
import { useFormat } from '../../i18n/use-format';
import { usePart } from '../../stores/core-store';

/** Rows shown before the rest is only counted. */
const MOST_ROWS = 5;

/** How long each model takes here to load and to generate, and the source of each figure. */
export function TimesCard({ className }: { className?: string }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const times = usePart('times') ?? [];
  if (times.length === 0) return null;
  const ordered = times.toSorted((a, b) => rank(a) - rank(b) || b.samples - a.samples);
  const rows = all ? ordered : ordered.slice(0, MOST_ROWS);
  const hidden = ordered.length - rows.length;
  return (
    <Card data-testid="model-times" title={t('times.title')} className={className}>
      <p className="text-ink-3 text-small">{t('times.hint')}</p>
      <table className="mt-1 w-full table-fixed text-small">
        <thead className="text-ink-3">
          <tr className="[&>th]:py-1 [&>th]:font-[400]">
            <th scope="col" className="text-left">
              {t('times.model')}
            </th>
            <th scope="col" className="w-[72px] text-right">
              {t('times.load')}
            </th>
            <th scope="col" className="w-[96px] text-right">
              {t('times.tokens')}
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map((row) => (
            <Row key={`${row.backend}/${row.name}`} row={row} />
          ))}
        </tbody>
      </table>
      {hidden > 0 && (
        <button
          type="button"
          onClick={() => setAll(true)}
          className="-ml-1 mt-1 min-h-6 rounded-badge px-1 text-accent-text text-small hover:bg-accent-soft"
        >
          {t('times.more', { count: hidden })}
        </button>
      )}
    </Card>
  );
}

/** Measured times first, then configured ones, then estimates. */
function rank({ source }: ModelTimes): number {
  return source === 'measured' ? 0 : source === 'user' ? 1 : 2;
}

function Row({ row }: { row: ModelTimes }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { backend, name, loadS, per1kS, source, samples } = row;
  const from =
    source === 'measured' ? t('times.sources.measured', { count: samples }) : t(`times.sources.${source}`);
  const time = (seconds: number | null) =>
    seconds === null ? t('ledger.unknown') : format.duration(seconds * 1_000);
  return (
    <tr className="[&>td]:py-1 [&>td]:align-middle">
      <td className="min-w-0" title={name}>
        <span className="flex min-w-0 items-center gap-2">
          <span className="w-[66px] shrink-0">
            <Badge source={backend} />
          </span>
          <span className="min-w-0 leading-tight">
            <span className="block truncate">{shortModel(name)}</span>
            <span className="block truncate text-ink-3 text-mini">{from}</span>
          </span>
        </span>
      </td>
      <td className="text-right tabular-nums">{time(loadS)}</td>
      <td className="text-right tabular-nums">{time(per1kS)}</td>
    </tr>
  );
}
