import { useTranslation } from 'react-i18next';
import type { BackendStatus, MemoryStatus } from '../../shared/status';
import { useFormat } from '../i18n/use-format';
import { useCore, usePart } from '../stores/core-store';
import { showView } from '../stores/ui-store';
import { markOf, shortModel, stateWords } from './backend-words';
import { Mark } from './mark';
import { memoryParts } from './memory-parts';
import { useNow } from './use-now';

/** One line that says everything, in every view: both servers, what they do, and memory. */
export function Strip() {
  const { t } = useTranslation();
  const backends = usePart('backends');
  const memory = usePart('memory');
  const connection = useCore((state) => state.connection);
  return (
    <section
      aria-label={t('strip.label')}
      className="flex h-10 shrink-0 items-center gap-1 border-line border-b px-1.5 text-small"
    >
      {backends === undefined ? (
        <span className="flex items-center gap-2 px-1.5 text-ink-2">
          <Mark shape="working" />
          {t('strip.connecting')}
        </span>
      ) : (
        backends.map((status) => <Pill key={status.id} status={status} lost={connection === 'lost'} />)
      )}
      <span className="grow" />
      {memory && <MemoryPill memory={memory} />}
    </section>
  );
}

function Pill({ status, lost }: { status: BackendStatus; lost: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const capable = usePart('capable');
  const now = useNow(1_000, status.state === 'backoff');
  const serving = status.state === 'ready' || status.state === 'adopted' || status.state === 'busy';
  const state = stateWords(status, t, format, now);
  const idle = status.state === 'ready' || status.state === 'adopted';
  const lacking = idle && capable === false && status.model === null;
  const words = lacking ? t('state.noModel') : serving && status.model ? shortModel(status.model) : state;
  return (
    <button
      type="button"
      onClick={() => showView('status')}
      title={`${t(`backend.${status.id}`)}: ${state}${status.model ? ` · ${status.model}` : ''}`}
      className="flex h-7 min-w-0 items-center gap-1.5 rounded-control px-1.5 text-ink-2 hover:bg-hover"
    >
      <Mark shape={lost ? 'off' : markOf(status)} />
      <b className="font-[600] text-ink">{t(`backend.${status.id}`)}</b>
      <span className="sr-only">{state}</span>
      <span className="truncate max-[330px]:hidden" aria-hidden={words === state}>
        {words}
      </span>
    </button>
  );
}

function MemoryPill({ memory }: { memory: MemoryStatus }) {
  const { t } = useTranslation();
  const format = useFormat();
  const title = t('strip.memoryTitle', {
    used: format.memory(memory.usedBytes),
    total: format.memory(memory.totalBytes),
  });
  return (
    <button
      type="button"
      onClick={() => showView('status')}
      title={title}
      aria-label={`${t('strip.memory', { percent: format.percent(memory.usedPercent) })}. ${title}`}
      className="flex h-7 shrink-0 items-center gap-1.5 rounded-control px-1.5 text-ink-2 tabular-nums hover:bg-hover"
    >
      <span className="flex h-1.5 w-13 overflow-hidden rounded-full bg-line" aria-hidden="true">
        {memoryParts(memory).map((part) => (
          <i key={part.id} className={part.tone} style={{ width: `${part.percent}%` }} />
        ))}
      </span>
      <span className="w-8 text-right">{format.percent(memory.usedPercent)}</span>
    </button>
  );
}
