import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import type { MemoryStatus } from '../../../shared/status';
import { Card } from '../../components/card';
import { cx } from '../../components/cx';
import { memoryParts } from '../../components/memory-parts';
import { useFormat } from '../../i18n/use-format';

/** The chart library comes with the first look at it, not with the first paint of the chat. */
const MemoryChart = lazy(() =>
  import('./history-charts').then((module) => ({ default: module.MemoryChart })),
);

const TONES = {
  normal: 'text-ink-2',
  warning: 'text-warn-text font-[600]',
  critical: 'text-bad-text font-[600]',
  unknown: 'text-ink-2',
};

/** One bar over system, MLX and Ollama with the marks where care begins, and the last minutes. */
export function MemoryCard({ memory }: { memory: MemoryStatus }) {
  const { t } = useTranslation();
  const format = useFormat();
  const parts = memoryParts(memory);
  const { usedPercent, warningPercent, criticalPercent, pressure } = memory;
  const figure = t('units.percentOf', {
    percent: format.percent(usedPercent),
    total: format.memory(memory.totalBytes),
  });
  return (
    <Card
      data-testid="memory-pressure"
      data-percent={Math.round(usedPercent * 10) / 10}
      data-pressure={pressure}
      title={t('status.memoryTitle')}
      aside={
        <>
          <span className="tabular-nums">{figure}</span>
          {' · '}
          <span className={TONES[pressure]}>{t(`status.pressure.${pressure}`)}</span>
        </>
      }
    >
      <div className="relative my-2 h-[18px] rounded-badge bg-line" role="img" aria-label={figure}>
        <div className="flex h-full overflow-hidden rounded-badge">
          {parts.map((part) => (
            <i
              key={part.id}
              className={cx('h-full border-card border-r last:border-0', part.tone)}
              style={{ width: `${part.percent}%` }}
            />
          ))}
        </div>
        <LimitMark
          percent={warningPercent}
          tone="bg-warn"
          title={t('status.warningMark', { percent: format.percent(warningPercent) })}
        />
        <LimitMark
          percent={criticalPercent}
          tone="bg-bad"
          title={t('status.criticalMark', { percent: format.percent(criticalPercent) })}
        />
      </div>
      <ul className="flex flex-wrap gap-x-3.5 gap-y-0.5 text-ink-2 text-small tabular-nums">
        {parts.map((part) => (
          <li key={part.id} className="flex items-center gap-1.5">
            <span aria-hidden="true" className={cx('size-2 rounded-[2px]', part.tone)} />
            {part.id === 'system' ? t('status.system') : t(`backend.${part.id}`)} {format.memory(part.bytes)}
          </li>
        ))}
      </ul>
      <div className="mt-2 h-[72px]">
        <Suspense fallback={null}>
          <MemoryChart warning={warningPercent} critical={criticalPercent} />
        </Suspense>
      </div>
    </Card>
  );
}

function LimitMark({ percent, tone, title }: { percent: number; tone: string; title: string }) {
  return (
    <span
      title={title}
      className={cx('-inset-y-[3px] absolute w-[2px] rounded-full', tone)}
      style={{ left: `${percent}%` }}
    />
  );
}
