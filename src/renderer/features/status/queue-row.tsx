import { X } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { QueueEntry } from '../../../shared/status';
import { useLooks } from '../../components/backends';
import { IconButton } from '../../components/button';
import { Mark } from '../../components/mark';
import { backendName } from '../../i18n/backend-name';
import { useFormat } from '../../i18n/use-format';
import { perform } from '../../stores/request';
import { showToast } from '../../stores/ui-store';

/** One request: its client, what it waits for, its place, priority and time, and a cancel button. */
export function QueueRow({ entry, onGone }: { entry: QueueEntry; onGone: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [leaving, setLeaving] = useState(false);
  const lookOf = useLooks();
  const { id, state, priority, position, etaMs, backend, model } = entry;
  const client = entry.client === 'ui' ? t('status.clientUi') : entry.client;
  const what = [client, entry.category && t(`why.categories.${entry.category}`)].filter(Boolean).join(' · ');
  const place = {
    running: t('status.entryUnknown'),
    replaying: t('status.replaying'),
    waiting: position === null ? t('status.entryWaiting') : t('line.nth', { count: position, ordinal: true }),
  }[state];
  const time =
    etaMs === null
      ? null
      : state === 'running'
        ? t('status.entryRunning', { time: format.eta(etaMs) })
        : format.eta(etaMs);
  const words = [place, t(`line.priorities.${priority}`)];
  if (backend !== null) words.unshift(backendName(backend, t));
  const look = backend === null ? null : lookOf(backend);
  const cancel = async () => {
    setLeaving(true);
    const focused = document.activeElement instanceof HTMLButtonElement;
    const done = await perform('queueCancel', { id });
    if (!done) setLeaving(false);
    else {
      showToast({ text: t('line.cancelled') });
      if (focused) onGone();
    }
  };
  return (
    <li
      className="flex items-center gap-2 py-1 text-small"
      data-testid="queue-row"
      title={model ?? undefined}
    >
      <Mark shape={state === 'waiting' ? 'off' : 'working'} />
      <span className="min-w-0 grow leading-tight">
        <span className="block truncate">{what}</span>
        <span className="flex items-center gap-1 text-ink-3 text-mini tabular-nums">
          {look && <look.Icon width={10} height={10} className={`shrink-0 ${look.text}`} />}
          <span className="truncate">{words.join(' · ')}</span>
        </span>
      </span>
      {time !== null && <span className="shrink-0 text-ink-2 tabular-nums">{time}</span>}
      <IconButton label={t('line.cancelOf', { what })} disabled={leaving} onClick={() => void cancel()}>
        <X size={13} aria-hidden="true" />
      </IconButton>
    </li>
  );
}
