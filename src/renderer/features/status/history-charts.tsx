import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import { Area, AreaChart, ReferenceLine, ResponsiveContainer, XAxis, YAxis } from 'recharts';
import { useFormat } from '../../i18n/use-format';
import { useCore } from '../../stores/core-store';
import { SAMPLE_SPAN_MS } from '../../stores/samples';

const MARGIN = { top: 4, right: 2, bottom: 0, left: 2 };
const TICK = { fontSize: 10, fill: 'var(--ink-3)' };

function useWindow() {
  const history = useCore((state) => state.history);
  const end = history.at(-1)?.at ?? 0;
  return { history: [...history], domain: [end - SAMPLE_SPAN_MS, end] as [number, number] };
}

function Frame({ label, start }: { label: string; start: string }) {
  const { t } = useTranslation();
  return (
    <div className="flex justify-between text-[10px] text-ink-3" title={label}>
      <span>{start}</span>
      <span>{t('time.now')}</span>
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
  const format = useFormat();
  const { history, domain } = useWindow();
  return (
    <div role="img" aria-label={t('status.memoryChart')}>
      <ResponsiveContainer width="100%" height={56} minWidth={0}>
        <AreaChart data={history} margin={MARGIN} accessibilityLayer={false}>
          <XAxis dataKey="at" type="number" domain={domain} allowDataOverflow hide />
          <YAxis domain={[0, 100]} hide />
          <ReferenceLine y={warning} stroke="var(--warn)" strokeDasharray="3 3" strokeOpacity={0.7} />
          <ReferenceLine y={critical} stroke="var(--bad)" strokeDasharray="3 3" strokeOpacity={0.7} />
          <Area
            dataKey="memoryPercent"
            type="monotone"
            stroke="var(--accent)"
            strokeWidth={1.5}
            fill="var(--accent)"
            fillOpacity={0.14}
            isAnimationActive={false}
            dot={false}
          />
        </AreaChart>
      </ResponsiveContainer>
      <Frame label={t('status.memoryChart')} start={t('time.minutesAgo', { n: format.number(5) })} />
    </div>
  );
});

/** Requests waiting and running over the last minutes. */
export const QueueChart = memo(function QueueChart() {
  const { t } = useTranslation();
  const format = useFormat();
  const { history, domain } = useWindow();
  const top = Math.max(3, ...history.map((sample) => sample.waiting + sample.running));
  return (
    <div role="img" aria-label={t('status.queueChart')}>
      <ResponsiveContainer width="100%" height={44} minWidth={0}>
        <AreaChart data={history} margin={MARGIN} accessibilityLayer={false}>
          <XAxis dataKey="at" type="number" domain={domain} allowDataOverflow hide tick={TICK} />
          <YAxis domain={[0, top]} hide />
          <Area
            dataKey="running"
            stackId="queue"
            type="stepAfter"
            stroke="var(--ollama)"
            fill="var(--ollama)"
            fillOpacity={0.18}
            isAnimationActive={false}
            dot={false}
          />
          <Area
            dataKey="waiting"
            stackId="queue"
            type="stepAfter"
            stroke="var(--accent)"
            fill="var(--accent)"
            fillOpacity={0.3}
            isAnimationActive={false}
            dot={false}
          />
        </AreaChart>
      </ResponsiveContainer>
      <Frame label={t('status.queueChart')} start={t('time.minutesAgo', { n: format.number(5) })} />
    </div>
  );
});
