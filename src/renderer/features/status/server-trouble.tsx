import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { servingBeside } from '../../../shared/attention';
import { type BackendId, isServing } from '../../../shared/domain';
import type { BackendStatus } from '../../../shared/status';
import { serverCure } from '../../components/backend-words';
import { Disclosure } from '../../components/disclosure';
import { Note } from '../../components/note';
import { WithCommands } from '../../components/with-commands';
import { backendName } from '../../i18n/backend-name';
import { cureWords } from '../../i18n/core-words';
import { type Format, useFormat } from '../../i18n/use-format';
import { usePart } from '../../stores/core-store';
import { CopyReport } from './copy-report';

/** A server's problem: what happened, who took over, what helps. */
export function ServerTrouble({ status, now }: { status: BackendStatus; now: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  const death = usePart('life')?.findLast(
    ({ backend, incident }) => backend === status.id && incident !== null,
  );
  const other = servingBeside(status.id, usePart('backends') ?? []);
  const { absence, lastError, state } = status;
  if (state === 'absent') {
    if (absence === null) return null;
    return (
      <Note tone="warn" className="mt-2">
        <WithCommands text={cureWords(absence, t)} />
      </Note>
    );
  }
  const down = state === 'open' || state === 'backoff' || state === 'hung' || state === 'stopped';
  // The problem is over once the server serves again; the history keeps it.
  const problem = isServing(state) ? null : lastError;
  const story = [storyOf(status, other, t), breakerWords(status, t, format, now)].filter(Boolean).join(' ');
  if (problem === null) return story === '' ? null : <p className="mt-2 text-ink-2 text-small">{story}</p>;
  const cure = serverCure(problem.code, t);
  return (
    <div className="mt-2 grid gap-2 text-small">
      {story !== '' && <p className="text-ink-2 tabular-nums">{story}</p>}
      <Note tone={down ? 'bad' : 'info'}>
        <p>
          <b className="font-[600]">{t('status.lastError')}</b>{' '}
          <span className="text-ink-2" title={`${problem.code} · ${format.moment(problem.at)}`}>
            {t('status.at', { time: format.clock(problem.at) })}
          </span>
        </p>
        <p className="text-ink-2 [overflow-wrap:anywhere]">{cure ?? problem.message}</p>
        {cure !== null && (
          <Disclosure className="mt-0.5" summary={t('common.details')}>
            <p className="text-ink-3 [overflow-wrap:anywhere]">
              <code className="select-text font-mono text-mini">{problem.code}</code> ·{' '}
              {format.moment(problem.at)}
              {/* The core's own sentence is English; the cure above says the same. */}
              {format.language === 'en' && ` · ${problem.message}`}
            </p>
          </Disclosure>
        )}
        {death?.incident != null && (
          <p className="-ml-2">
            <CopyReport incident={death.incident} at={death.at} />
          </p>
        )}
      </Note>
    </div>
  );
}

/** What a server's absence means for now. */
function storyOf(
  { state, restarts, breaker }: BackendStatus,
  standIn: BackendId | null,
  t: TFunction,
): string | null {
  const other = standIn && backendName(standIn, t);
  if (state === 'backoff')
    return other === null ? t('status.backoffStoryAlone') : t('status.backoffStory', { other });
  if (state !== 'open') return null;
  // Without an automatic retry, the cause is one that a restart cannot cure, however many restarts there were.
  if (breaker.nextTryAt === null || restarts <= 1)
    return other === null ? t('status.openStoryOnceAlone') : t('status.openStoryOnce', { other });
  return other === null
    ? t('status.openStoryAlone', { n: restarts })
    : t('status.openStory', { n: restarts, other });
}

/** When the breaker retries; the countdown shows seconds only in the last minute. */
function breakerWords({ breaker }: BackendStatus, t: TFunction, format: Format, now: number): string | null {
  switch (breaker.state) {
    case 'closed':
      return null;
    case 'half_open':
      return t('breaker.halfOpen');
    case 'open': {
      if (breaker.nextTryAt === null) return t('breaker.onlyYou');
      return t('breaker.nextTry', { time: format.countdown(breaker.nextTryAt - now) });
    }
  }
}
