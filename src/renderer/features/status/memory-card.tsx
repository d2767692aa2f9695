import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import type { Ledger, MemoryStatus } from '../../../shared/status';
import { Card } from '../../components/card';
import { memoryParts } from '../../components/memory-parts';
import { useFormat } from '../../i18n/use-format';
import { LedgerFigures } from './ledger-figures';
import { LedgerLegend } from './ledger-legend';
import { type LedgerView, ledgerView } from './ledger-parts';
import { MemoryBar } from './memory-bar';
import { MemoryDecision } from './memory-decision';

/** The chart library loads when the card is first shown, not with the first paint of the chat. */
const MemoryChart = lazy(() =>
  import('./history-charts').then((module) => ({ default: module.MemoryChart })),
);

const TONES = {
  normal: 'text-ink-2',
  warning: 'text-warn-text font-[600]',
  critical: 'text-bad-text font-[600]',
  unknown: 'text-ink-2',
};

/** One bar for the machine and both servers with the two thresholds, its figures, and the last minutes. */
export function MemoryCard({ memory, ledger }: { memory: MemoryStatus; ledger: Ledger | null }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { usedPercent, warningPercent, criticalPercent, pressure } = memory;
  const figure = t('units.percentOf', {
    percent: format.percent(usedPercent),
    total: format.memory(memory.totalBytes),
  });
  const view = ledger === null ? plainView(memory) : ledgerView(ledger);
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
      <MemoryBar view={view} memory={memory} ledger={ledger} label={figure} />
      <LedgerLegend view={view} ledger={ledger} />
      {ledger?.lastDecision && <MemoryDecision decision={ledger.lastDecision} />}
      <div className="mt-2 h-[72px]">
        <Suspense fallback={null}>
          <MemoryChart warning={warningPercent} critical={criticalPercent} />
        </Suspense>
      </div>
      {ledger !== null && ledger.entries.length > 0 && <LedgerFigures ledger={ledger} />}
    </Card>
  );
}

/** What is known before the ledger arrives: the machine's own figures. */
function plainView(memory: MemoryStatus): LedgerView {
  const parts = memoryParts(memory);
  return {
    parts: parts.map(({ id, bytes, percent }) => ({
      owner: id,
      kind: id === 'system' ? 'system' : 'rest',
      bytes,
      percent,
    })),
    held: parts.flatMap(({ id, bytes }) => (id === 'system' ? [] : [{ backend: id, bytes }])),
    systemBytes: parts.find(({ id }) => id === 'system')?.bytes ?? 0,
    promisedBytes: 0,
  };
}
