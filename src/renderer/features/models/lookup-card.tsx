import { Check } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Lookup } from '../../../shared/models';
import { Badge } from '../../components/badge';
import { Button } from '../../components/button';
import { cx } from '../../components/cx';
import { FactLine } from '../../components/fact-line';
import { DownloadRow } from '../../components/models/download-row';
import { useDownload, useTitles } from '../../components/models/use-downloads';
import { Note } from '../../components/note';
import { useFormat } from '../../i18n/use-format';
import { perform } from '../../stores/request';
import { GatedNote } from './hub-token';
import { refusalWords } from './model-words';
import type { HubTokenForm } from './use-hub-token';

const FIT_INK = { yes: 'text-ink-2', tight: 'text-warn-text', no: 'text-bad-text', unknown: 'text-ink-2' };

interface LookupCardProps {
  lookup: Lookup;
  token: HubTokenForm;
  /** Looks it up once more. */
  onAgain: () => void;
}

/** What a name stands for, before its download. */
export function LookupCard({ lookup, token, onAgain }: LookupCardProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const download = useDownload(lookup);
  const title = useTitles()(lookup);
  const { backend, name, sizeBytes, billions, contextLength, licence, fit, gated, refused } = lookup;
  const installed = lookup.installed || download?.state === 'done';
  const facts = [
    t(sizeBytes === null ? 'models.sizeUnknown' : 'models.size', {
      size: format.fileSize(sizeBytes ?? 0),
    }),
    billions === null ? null : format.parameters(billions),
    contextLength === null ? null : format.tokens(contextLength),
    licence === null ? t('models.licenceUnknown') : t('models.licence', { licence }),
  ].filter((fact) => fact !== null);
  return (
    <div data-testid="lookup" className="rise mt-2.5 rounded-card border border-line bg-card">
      {download && !installed ? (
        <DownloadRow download={download} title={title} />
      ) : (
        <div className="grid grid-cols-[minmax(0,1fr)] gap-2 px-3 py-2.5">
          <div>
            <p className="flex items-center gap-1.5">
              <b className="min-w-0 truncate font-[600]" title={name}>
                {name}
              </b>
              <Badge source={backend} />
            </p>
            <p className="text-ink-2 text-small">
              <FactLine facts={facts} />
            </p>
            <p className={cx('text-small', FIT_INK[fit])}>{t(`models.fitLong.${fit}`)}</p>
          </div>
          {refused !== null && <Note tone="bad">{refusalWords(refused, t)}</Note>}
          {gated && refused === null && (
            <GatedNote backend={backend} name={name} token={token} onStored={onAgain} />
          )}
          {installed ? (
            <p className="flex items-center gap-1 text-ink-2 text-small">
              <Check size={14} aria-hidden="true" className="text-ok" />
              {t('models.installed')}
            </p>
          ) : (
            refused === null && (
              <Button
                tone={fit === 'no' || gated ? 'quiet' : 'accent'}
                className="justify-self-start"
                onClick={() => void perform('downloadStart', { backend, name })}
              >
                {t(fit === 'no' ? 'models.downloadAnyway' : 'models.download')}
              </Button>
            )
          )}
        </div>
      )}
    </div>
  );
}
