import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import type { QueueEntry, QueueStatus } from '../../../shared/status';
import { shortModel } from '../../components/backend-words';
import { Badge } from '../../components/badge';
import { Card } from '../../components/card';
import { Mark } from '../../components/mark';
import { useFormat } from '../../i18n/use-format';

const QueueChart = lazy(() => import('./history-charts').then((module) => ({ default: module.QueueChart })));

/** Rows shown before the rest is only counted. */
const MOST_ROWS = 8;

/** Who waits, who is being answered, and how long it will take. */
export function QueueCard({ queue }: { queue: QueueStatus }) {
  const { t } = useTranslation();
  const { stats, entries } = queue;
  const running = stats.running + stats.replaying;
  const aside = [t('status.queueDepth', { count: stats.depth })];
  if (running > 0) aside.push(t('status.queueRunning', { count: running }));
  return (
    <Card
      data-testid="queue-depth"
      data-depth={stats.depth}
      title={t('status.queueTitle')}
      aside={<span className="tabular-nums">{aside.join(' · ')}</span>}
    >
      {entries.length === 0 ? (
        <p className="mt-0.5 text-ink-3 text-small">{t('status.queueEmpty')}</p>
      ) : (
        <ul className="mt-1 divide-y divide-line">
          {entries.slice(0, MOST_ROWS).map((entry) => (
            <Entry key={entry.id} entry={entry} />
          ))}
          {entries.length > MOST_ROWS && (
            <li className="py-1.5 text-ink-3 text-small">+{entries.length - MOST_ROWS}</li>
          )}
        </ul>
      )}
      <div className="mt-2 h-[60px]">
        <Suspense fallback={null}>
          <QueueChart />
        </Suspense>
      </div>
    </Card>
  );
}

function Entry({ entry }: { entry: QueueEntry }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = entry.client === 'ui' ? t('status.clientUi') : entry.client;
  const eta = entry.etaMs;
  const words = {
    running: eta === null ? t('status.entryUnknown') : t('status.entryRunning', { time: format.eta(eta) }),
    waiting: eta === null ? t('status.entryWaiting') : format.eta(eta),
    replaying: t('status.replaying'),
  }[entry.state];
  const what = [client, entry.category && t(`why.categories.${entry.category}`)].filter(Boolean).join(' · ');
  return (
    <li
      className="flex min-h-8 items-center gap-2 py-1 text-small"
      title={entry.model ? shortModel(entry.model) : undefined}
    >
      <Mark shape={entry.state === 'waiting' ? 'off' : 'working'} />
      <span className="min-w-0 grow truncate">{what}</span>
      {entry.backend && <Badge source={entry.backend} />}
      <span className="shrink-0 text-ink-3 tabular-nums">{words}</span>
    </li>
  );
}
