import { useTranslation } from 'react-i18next';
import { cx } from '../../components/cx';
import { usePart } from '../../stores/core-store';
import { MemoryCard } from './memory-card';
import { QueueCard } from './queue-card';
import { ServerCard } from './server-card';
import { SetupCard } from './setup-card';
import { TimesCard } from './times-card';
import { WarningsCard } from './warnings-card';

/** Both servers, memory, queue, and warnings. `compact`: next to another view. */
export function StatusView({ compact = false }: { compact?: boolean }) {
  const { t } = useTranslation();
  const backends = usePart('backends');
  const memory = usePart('memory');
  const ledger = usePart('ledger') ?? null;
  const queue = usePart('queue');
  const Frame = compact ? 'section' : 'main';
  return (
    <Frame
      tabIndex={compact ? undefined : -1}
      aria-label={t('status.title')}
      className="min-h-0 min-w-0 flex-1 overflow-y-auto"
    >
      <div
        className={cx(
          'mx-auto grid grid-cols-[minmax(0,1fr)] items-start gap-3 p-3.5',
          !compact && 'max-w-[1080px] min-[960px]:grid-cols-[repeat(2,minmax(0,1fr))] min-[960px]:p-6',
        )}
      >
        <SetupCard />
        {backends === undefined && <Skeleton />}
        {/* Two separate columns where there is room, so that a card that grows moves only the cards below it. */}
        <div className={cx('contents', !compact && 'min-[960px]:grid min-[960px]:gap-3')}>
          {backends?.map((status) => (
            <ServerCard key={status.id} status={status} />
          ))}
          <TimesCard className={cx('order-last', !compact && 'min-[960px]:order-none')} />
        </div>
        <div className={cx('contents', !compact && 'min-[960px]:grid min-[960px]:gap-3')}>
          {memory && <MemoryCard memory={memory} ledger={ledger} />}
          {queue && <QueueCard queue={queue} />}
        </div>
        <WarningsCard />
      </div>
    </Frame>
  );
}

function Skeleton() {
  const { t } = useTranslation();
  return (
    <div role="status" aria-label={t('common.loading')} className="contents">
      {[104, 104, 150].map((height, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: fixed placeholders
        <span key={index} className="skeleton !rounded-card" style={{ height }} />
      ))}
    </div>
  );
}
