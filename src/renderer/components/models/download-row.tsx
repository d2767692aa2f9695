import { Check, Pause, Play, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Download } from '../../../shared/models';
import { useFormat } from '../../i18n/use-format';
import { perform } from '../../stores/request';
import { showPart } from '../../stores/ui-store';
import { Badge } from '../badge';
import { Button, IconButton } from '../button';
import { FactLine } from '../fact-line';
import { Progress } from '../progress';
import { downloadFacts, percentOf, sourceTrouble } from './download-words';

/** A download in any state, with its progress and what can be done with it. */
export function DownloadRow({ download, title }: { download: Download; title: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { state, error } = download;
  const percent = percentOf(download);
  const facts = downloadFacts(download, t, format);
  return (
    <div data-testid="download" data-model={download.name} data-state={state} className="px-3 py-2">
      <div className="flex items-center gap-2">
        <div className="min-w-0 grow">
          <p className="flex items-center gap-1.5">
            <b className="min-w-0 truncate font-[600]" title={download.name}>
              {title}
            </b>
            <Badge source={download.backend} />
          </p>
          {facts.length > 0 && (
            <p className="text-ink-2 text-small tabular-nums" title={download.step || undefined}>
              <FactLine facts={facts} />
            </p>
          )}
        </div>
        {state === 'running' && percent !== null && (
          <span className="text-ink-2 text-small tabular-nums">{format.percent(percent)}</span>
        )}
        {state === 'done' && <Check size={14} aria-hidden="true" className="shrink-0 text-ok" />}
        <Actions download={download} title={title} />
      </div>
      {(state === 'running' || state === 'paused') && (
        <Progress percent={percent} label={t('downloads.progressOf', { title })} className="mt-2" />
      )}
      {error !== null && (
        <p role="alert" className="mt-1 text-bad-text text-small" title={error.message}>
          {sourceTrouble(error, t)}
        </p>
      )}
      {error?.code === 'model_gated' && (
        <Button tone="plain" className="-ml-2.5" onClick={() => showPart('hub-token')}>
          {t('hubToken.enter')}
        </Button>
      )}
    </div>
  );
}

type Call = 'downloadStart' | 'downloadPause' | 'downloadCancel' | 'downloadDismiss';

function Actions({ download, title }: { download: Download; title: string }) {
  const { t } = useTranslation();
  const { backend, name, state } = download;
  const run = (call: Call) => () => void perform(call, { backend, name });
  const icon = (call: Call, label: string, children: ReactNode) => (
    <IconButton label={label} onClick={run(call)}>
      {children}
    </IconButton>
  );
  const ended = state === 'done' || state === 'failed';
  return (
    <span className="-mr-1 flex shrink-0 items-center">
      {state === 'failed' && (
        <Button
          onClick={run('downloadStart')}
          aria-label={t('downloads.againOf', { title })}
          className="mr-0.5"
        >
          {t('common.retry')}
        </Button>
      )}
      {state === 'running' &&
        icon('downloadPause', t('downloads.pauseOf', { title }), <Pause size={14} aria-hidden="true" />)}
      {state === 'paused' &&
        icon('downloadStart', t('downloads.resumeOf', { title }), <Play size={14} aria-hidden="true" />)}
      {ended
        ? icon('downloadDismiss', t('downloads.dismissOf', { title }), <X size={14} aria-hidden="true" />)
        : icon('downloadCancel', t('downloads.cancelOf', { title }), <X size={14} aria-hidden="true" />)}
    </span>
  );
}
