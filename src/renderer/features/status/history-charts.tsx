import { memo, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Area, AreaChart, ReferenceLine, ResponsiveContainer, XAxis, YAxis } from 'recharts';
import { useFormat } from '../../i18n/use-format';
import { useCore } from '../../stores/core-store';
import type { Sample } from '../../stores/samples';

const MARGIN = { top: 3, right: 0, bottom: 0, left: 0 };
const MINUTE_MS = 60_000;

const painted = (colour: string) => ({ stroke: colour, fill: colour });

/** The samples and the whole minutes they span, so that a new chart is not a dot in a corner. */
function useWindow() {
  const history = useCore((state) => state.history);
  const end = history.at(-1)?.at ?? 0;
  const minutes = Math.max(1, Math.ceil((end - (history[0]?.at ?? 0)) / MINUTE_MS));
  return { data: history as Sample[], minutes, domain: [end - minutes * MINUTE_MS, end] as [number, number] };
}

function Frame({
  label,
  minutes,
  height,
  children,
}: {
  label: string;
  minutes: number;
  height: number;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <div role="img" aria-label={label} title={label}>
      <div className="border-line-2 border-b">
        <ResponsiveContainer width="100%" height={height} minWidth={0}>
          {children}
        </ResponsiveContainer>
      </div>
      <div className="flex justify-between pt-0.5 text-[10px] text-ink-3 tabular-nums" aria-hidden="true">
        <span>{t('time.minutesAgo', { n: format.number(minutes) })}</span>
        <span>{t('time.now')}</span>
      </div>
    </div>
  );
}

/** Share of memory used over the last minutes, with the two limits. */
export const MemoryChart = memo(function MemoryChart({
  warning,
  critical,
}: {
  warning: number;
  critical: number;
}) {
  const { t } = useTranslation();
  const { data, minutes, domain } = useWindow();
  return (
    <Frame label={t('status.memoryChart')} minutes={minutes} height={54}>
      <AreaChart data={data} margin={MARGIN} accessibilityLayer={false}>
        <XAxis dataKey="at" type="number" domain={domain} allowDataOverflow hide />
        <YAxis domain={[0, 100]} hide />
        <ReferenceLine y={warning} stroke="var(--color-warn)" strokeDasharray="2 4" strokeOpacity={0.8} />
        <ReferenceLine y={critical} stroke="var(--color-bad)" strokeDasharray="2 4" strokeOpacity={0.8} />
        <Area
          dataKey="memoryPercent"
          type="monotone"
          {...painted('var(--color-accent)')}
          strokeWidth={1.5}
          fillOpacity={0.13}
          isAnimationActive={false}
          dot={false}
        />
      </AreaChart>
    </Frame>
  );
});

/** Requests running and, stacked on them, waiting over the last minutes. */
export const QueueChart = memo(function QueueChart() {
  const { t } = useTranslation();
  const { data, minutes, domain } = useWindow();
  const top = Math.max(3, ...data.map((sample) => sample.waiting + sample.running));
  const area = { stackId: 'queue', type: 'stepAfter', isAnimationActive: false, dot: false } as const;
  return (
    <Frame label={t('status.queueChart')} minutes={minutes} height={42}>
      <AreaChart data={data} margin={MARGIN} accessibilityLayer={false}>
        <XAxis dataKey="at" type="number" domain={domain} allowDataOverflow hide />
        <YAxis domain={[0, top]} hide />
        <Area dataKey="running" {...painted('var(--color-system)')} fillOpacity={0.2} {...area} />
        <Area dataKey="waiting" {...painted('var(--color-accent)')} fillOpacity={0.3} {...area} />
      </AreaChart>
    </Frame>
  );
});
