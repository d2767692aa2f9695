import { lazy, Suspense, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { QueueStatus } from '../../../shared/status';
import { Card } from '../../components/card';
import { QueueRow } from './queue-row';

const QueueChart = lazy(() => import('./history-charts').then((module) => ({ default: module.QueueChart })));

/** Rows shown before “show all”. */
const MOST_ROWS = 6;

/** Running and waiting requests, their times, and a cancel button for each. */
export function QueueCard({ queue }: { queue: QueueStatus }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const list = useRef<HTMLUListElement>(null);
  const { stats, entries } = queue;
  const running = stats.running + stats.replaying;
  const aside = [t('status.queueDepth', { count: stats.depth })];
  if (running > 0) aside.push(t('status.queueRunning', { count: running }));
  const ordered = entries.toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0));
  const all = Math.max(entries.length, stats.depth + running);
  const rows = open ? ordered : ordered.slice(0, MOST_ROWS);
  const hidden = all - rows.length;
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
        <ul
          ref={list}
          tabIndex={-1}
          aria-label={t('status.queueTitle')}
          className="mt-1 divide-y divide-line"
        >
          {rows.map((entry) => (
            <QueueRow
              key={entry.id}
              entry={entry}
              // The button disappears with its row, so the focus moves to the list.
              onGone={() => list.current?.focus()}
            />
          ))}
          {hidden > 0 && (
            <li className="py-1.5 text-ink-3 text-small tabular-nums">
              {rows.length < ordered.length ? (
                <button
                  type="button"
                  onClick={() => {
                    setOpen(true);
                    list.current?.focus();
                  }}
                  className="-ml-1 min-h-6 rounded-badge px-1 text-accent-text hover:bg-accent-soft"
                >
                  {t('line.more', { count: hidden })}
                </button>
              ) : (
                t('line.more', { count: hidden })
              )}
            </li>
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
