import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { BackendId } from '../../../shared/domain';
import type { LifeEvent } from '../../../shared/incidents';
import type { BackendStatus } from '../../../shared/status';
import { cx } from '../../components/cx';
import { Disclosure } from '../../components/disclosure';
import { Mark } from '../../components/mark';
import { backendName } from '../../i18n/backend-name';
import { useFormat } from '../../i18n/use-format';
import { usePart } from '../../stores/core-store';
import { CopyReport } from './copy-report';
import { countStops, type LifeState, lifeSpans } from './life-spans';
import { lifeMark, lifeWords } from './life-words';
import { hangWords } from './limit-words';

/** How far back the strip reaches at most, ms; a younger server's strip starts at its first event. */
const LONGEST_MS = 12 * 3_600_000;
/** Moments listed before the rest is only counted. */
const MOST_ROWS = 7;

const TONES: Record<LifeState, string> = {
  up: 'bg-ok',
  starting: 'bg-accent',
  waiting: 'bg-warn z-[1]',
  resting: 'bg-warn z-[1]',
  down: 'bg-bad z-[2]',
  off: 'bg-line-2',
};

/** The life of one server: a strip of the last hours, and its moments one click away. */
export function ServerLife({ status, now }: { status: BackendStatus; now: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { id: backend, hangLimits } = status;
  const life = usePart('life') ?? [];
  const events = life.filter((event) => event.backend === backend);
  const latest = events.at(-1);
  if (latest === undefined) return null;
  const words = t('life.last', { time: format.when(latest.at, now), event: lifeWords(latest, t, format) });
  return (
    <div className="mt-3" data-testid={`life-${backend}`}>
      <Strip backend={backend} events={events} now={now} />
      <Disclosure
        className="mt-1"
        summary={
          <>
            <span className="font-[550]">{t('life.title')}</span>
            <span className="text-ink-3 tabular-nums"> · {words}</span>
          </>
        }
      >
        <Moments events={events} now={now} />
        {hangLimits !== null && (
          <p className="mt-1 text-ink-3 text-small leading-snug">{hangWords(hangLimits, t, format)}</p>
        )}
      </Disclosure>
    </div>
  );
}

function Strip({ backend, events, now }: { backend: BackendId; events: LifeEvent[]; now: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  const age = now - (events[0]?.at ?? now);
  const windowMs = Math.min(LONGEST_MS, Math.max(1, age));
  const start = now - windowMs;
  const share = (ms: number) => `${(ms / windowMs) * 100}%`;
  const label = t('life.over', {
    backend: backendName(backend, t),
    time: format.when(start, now),
    stops: t('life.stops', { count: countStops(events.filter(({ at }) => at >= start)) }),
  });
  return (
    <div className="flex items-center gap-2 text-[10px] text-ink-3 tabular-nums" title={label}>
      <span aria-hidden="true">{format.when(start, now)}</span>
      <div role="img" aria-label={label} className="relative h-1.5 grow overflow-hidden rounded-full bg-line">
        {lifeSpans(events, now, windowMs).map((span) => (
          <i
            key={`${span.from}${span.state}`}
            title={t('life.span', {
              state: t(`life.states.${span.state}`),
              from: format.clock(span.from),
              to: format.clock(span.to),
            })}
            // A short stop must stay visible, so it overlaps its neighbours.
            className={cx('absolute inset-y-0 min-w-[3px]', TONES[span.state])}
            style={{ left: share(span.from - start), width: share(span.to - span.from) }}
          />
        ))}
      </div>
      <span aria-hidden="true">{t('time.now')}</span>
    </div>
  );
}

function Moments({ events, now }: { events: LifeEvent[]; now: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [all, setAll] = useState(false);
  const newest = events.toReversed();
  const rows = all ? newest : newest.slice(0, MOST_ROWS);
  const hidden = newest.length - rows.length;
  return (
    <ol className="fade-in mt-0.5 grid text-small">
      {rows.map((event) => (
        <li key={`${event.at} ${event.type}`} className="flex min-h-[26px] items-center gap-2">
          <time
            dateTime={new Date(event.at).toISOString()}
            title={format.moment(event.at)}
            className="min-w-9 shrink-0 text-ink-3 tabular-nums"
          >
            {format.when(event.at, now)}
          </time>
          <Mark shape={lifeMark(event)} />
          <span className="min-w-0 grow leading-tight">{lifeWords(event, t, format)}</span>
          {event.incident !== null && <CopyReport incident={event.incident} at={event.at} small />}
        </li>
      ))}
      {hidden > 0 && (
        <li>
          <button
            type="button"
            onClick={() => setAll(true)}
            className="-ml-1 min-h-6 rounded-badge px-1 text-accent-text hover:bg-accent-soft"
          >
            {t('life.earlier', { count: hidden })}
          </button>
        </li>
      )}
    </ol>
  );
}
