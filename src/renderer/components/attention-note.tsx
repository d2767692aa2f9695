import { TriangleAlert, X } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Attention, attentionOf } from '../../shared/attention';
import { backendName } from '../i18n/backend-name';
import { useCore } from '../stores/core-store';
import { showView, useUi } from '../stores/ui-store';
import { Button, IconButton } from './button';
import { useWide } from './use-wide';

/**
 * A quiet line for an event that needs the user. Hidden while Status is visible, which shows the event itself. Once
 * dismissed, it stays hidden for as long as that event lasts.
 */
export function AttentionNote() {
  const { t } = useTranslation();
  const wide = useWide();
  const view = useUi((state) => state.view);
  const snapshot = useCore((state) => state.snapshot);
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set());
  if (snapshot === null) return null;
  const lasting = attentionOf(snapshot);
  const first = lasting.find(({ key }) => !seen.has(key));
  // An event that ended is shown again when it recurs.
  if ([...seen].some((key) => !lasting.some((attention) => attention.key === key)))
    setSeen(new Set(lasting.map(({ key }) => key).filter((key) => seen.has(key))));
  if (first === undefined || wide || view === 'status') return null;
  return (
    <aside
      aria-label={t('attention.label')}
      data-testid="attention"
      className="flex min-h-9 shrink-0 items-center gap-2 border-warn-line border-b bg-warn-bg py-1 pr-1.5 pl-3.5 text-small"
    >
      <TriangleAlert size={14} aria-hidden="true" className="shrink-0 text-warn" />
      <span className="min-w-0 grow leading-tight">
        <AttentionWords attention={first} />
      </span>
      <Button tone="plain" onClick={() => showView('status')}>
        {t('attention.show')}
      </Button>
      <IconButton label={t('common.dismiss')} onClick={() => setSeen(new Set([...seen, first.key]))}>
        <X size={13} aria-hidden="true" />
      </IconButton>
    </aside>
  );
}

function AttentionWords({ attention }: { attention: Attention }) {
  const { t } = useTranslation();
  switch (attention.kind) {
    case 'breaker': {
      const backend = backendName(attention.backend, t);
      if (attention.other === null) return t('attention.breakerAlone', { backend });
      return t('attention.breaker', { backend, other: backendName(attention.other, t) });
    }
    case 'setup':
      return t('attention.setup', { backend: backendName(attention.backend, t) });
    case 'memory':
      return t('attention.memory');
  }
}
