import { useTranslation } from 'react-i18next';
import type { BackendStatus, MemoryStatus } from '../../shared/status';
import { backendName } from '../i18n/backend-name';
import { useFormat } from '../i18n/use-format';
import { useCore, usePart } from '../stores/core-store';
import { showView } from '../stores/ui-store';
import { markOf, shortModel, stateWords } from './backend-words';
import { useInstances, useLooks } from './backends';
import { cx } from './cx';
import { TandemIcon } from './icons';
import { Mark } from './mark';
import { memoryParts } from './memory-parts';
import { StripDownloads } from './strip-downloads';
import { useNow } from './use-now';

/** The same in every view: all servers, what they do, memory, and running downloads (on a line of their own if narrow). */
export function Strip({ wide }: { wide: boolean }) {
  const { t } = useTranslation();
  const backends = usePart('backends');
  const memory = usePart('memory');
  const connection = useCore((state) => state.connection);
  return (
    <section aria-label={t('strip.label')} className="shrink-0">
      <div className="flex h-10 items-center gap-0.5 border-line border-b px-1.5 text-small">
        {wide && (
          <span className="mr-3 flex items-center gap-1.5 pl-2.5 font-[650]">
            <TandemIcon width={15} height={15} className="text-accent-text" />
            Tandem
          </span>
        )}
        {backends === undefined && connection !== 'refused' && (
          <span className="flex items-center gap-2 px-1.5 text-ink-2">
            <Mark shape="working" />
            {t('strip.connecting')}
          </span>
        )}
        {backends?.map((status) => (
          <Pill key={status.id} status={status} lost={connection === 'lost' || connection === 'refused'} />
        ))}
        {wide && <StripDownloads wide />}
        {memory && <MemoryPill memory={memory} />}
      </div>
      {!wide && <StripDownloads wide={false} />}
    </section>
  );
}

function Pill({ status, lost }: { status: BackendStatus; lost: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow(1_000, status.state === 'backoff');
  const model = useModelWord(status);
  const state = stateWords(status, t, format, now);
  const role = useInstances().find(({ id }) => id === status.id)?.role;
  return (
    <button
      type="button"
      onClick={() => showView('status')}
      title={`${backendName(status.id, t)}: ${state}${status.model ? ` · ${status.model}` : ''}`}
      className={cx(
        'flex h-7 min-w-0 items-center gap-1 rounded-control px-1.5 text-ink-2 hover:bg-hover',
        // When space is short, an error is truncated last and a heavy server's activity first.
        model === null && markOf(status) === 'trouble'
          ? 'shrink'
          : model !== null && role === 'light'
            ? 'max-w-[45%] shrink-[1000]'
            : 'shrink-[1000000]',
      )}
    >
      <Mark shape={lost ? 'off' : markOf(status)} />
      <b className="font-[600] text-ink">{backendName(status.id, t)}</b>
      {model !== null && <span className="sr-only">{state}</span>}
      <span className="truncate max-[330px]:hidden">{model ?? state}</span>
    </button>
  );
}

/** What a serving server is running, in a word; null when its state is more important. */
function useModelWord(status: BackendStatus): string | null {
  const { t } = useTranslation();
  const capable = usePart('capable');
  const models = usePart('models');
  const idle = status.state === 'ready' || status.state === 'adopted';
  if (!idle && status.state !== 'busy') return null;
  const own = models?.filter(({ backend }) => backend === status.id) ?? [];
  const lacking = capable === false && !own.some(({ small }) => small);
  if (status.model === null) return idle && lacking ? t('state.noModel') : null;
  const model = own.find(({ name }) => name === status.model);
  return model?.small ? t('strip.small') : shortModel(status.model);
}

function MemoryPill({ memory }: { memory: MemoryStatus }) {
  const { t } = useTranslation();
  const format = useFormat();
  const lookOf = useLooks();
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
      className="ml-auto flex h-7 shrink-0 items-center gap-1 rounded-control px-1.5 text-ink-2 tabular-nums hover:bg-hover"
    >
      <span
        className="flex h-1.5 w-9 overflow-hidden max-[330px]:hidden rounded-full bg-line"
        aria-hidden="true"
      >
        {memoryParts(memory).map((part) => (
          <i
            key={part.id}
            className={part.id === 'system' ? 'bg-system' : lookOf(part.id).bar}
            style={{ width: `${part.percent}%` }}
          />
        ))}
      </span>
      <span className="min-w-8 text-right">{format.percent(memory.usedPercent)}</span>
    </button>
  );
}
