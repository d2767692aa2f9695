import { useTranslation } from 'react-i18next';
import type { Ledger, MemoryStatus } from '../../../shared/status';
import { useLooks } from '../../components/backends';
import { cx } from '../../components/cx';
import { backendName } from '../../i18n/backend-name';
import { useFormat } from '../../i18n/use-format';
import type { LedgerPart, LedgerView } from './ledger-parts';

/** Colour strength shows what is inside a server; promised memory is hatched. */
const KIND_TONES: Record<LedgerPart['kind'], string> = {
  system: '',
  rest: 'opacity-55',
  process: '',
  weights: '',
  kv_cache: 'opacity-80',
  buffers: 'opacity-65',
  promised: 'hatched',
};

interface MemoryBarProps {
  view: LedgerView;
  memory: MemoryStatus;
  ledger: Ledger | null;
  label: string;
}

/** The stacked bar with its limits. */
export function MemoryBar({ view, memory, ledger, label }: MemoryBarProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const lookOf = useLooks();
  const nameOf = (part: LedgerPart) => {
    const owner = part.owner === 'system' ? t('status.system') : backendName(part.owner, t);
    const kind = part.kind === 'system' || ledger === null ? '' : ` · ${t(`ledger.kinds.${part.kind}`)}`;
    return `${owner}${kind}: ${format.memory(part.bytes)}`;
  };
  return (
    <div className="relative my-2 h-[18px] rounded-badge bg-line" role="img" aria-label={label}>
      <div className="flex h-full overflow-hidden rounded-badge">
        {view.parts.map((part, index) => {
          const next = view.parts[index + 1];
          return (
            <i
              key={part.owner + part.kind}
              title={nameOf(part)}
              className={cx('h-full', next?.owner !== part.owner && next && 'border-card border-r')}
              style={{ width: `${part.percent}%` }}
            >
              <i
                className={cx(
                  'block h-full',
                  part.owner === 'system' ? 'bg-system' : lookOf(part.owner).bar,
                  ledger !== null && KIND_TONES[part.kind],
                )}
              />
            </i>
          );
        })}
      </div>
      {ledger !== null && (
        <LimitMark
          percent={(ledger.workingSetBytes / Math.max(1, ledger.totalBytes)) * 100}
          tone="bg-ink"
          title={t('ledger.gpuMark', { size: format.memory(ledger.workingSetBytes) })}
        />
      )}
      <LimitMark
        percent={memory.warningPercent}
        tone="bg-warn"
        title={t('status.warningMark', { percent: format.percent(memory.warningPercent) })}
      />
      <LimitMark
        percent={memory.criticalPercent}
        tone="bg-bad"
        title={t('status.criticalMark', { percent: format.percent(memory.criticalPercent) })}
      />
    </div>
  );
}

function LimitMark({ percent, tone, title }: { percent: number; tone: string; title: string }) {
  return (
    <span
      title={title}
      className={cx('-inset-y-[3px] absolute w-[2px] rounded-full', tone)}
      style={{ left: `${Math.min(percent, 99.5)}%` }}
    />
  );
}
