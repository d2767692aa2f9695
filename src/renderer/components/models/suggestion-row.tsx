import { Check } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Suggestion } from '../../../shared/models';
import { useFormat } from '../../i18n/use-format';
import { perform } from '../../stores/request';
import { Badge } from '../badge';
import { Button } from '../button';
import { FactLine } from '../fact-line';
import { DownloadRow } from './download-row';
import { useDownload } from './use-downloads';

interface SuggestionRowProps {
  suggestion: Suggestion;
  /** `purpose`: what it is good for, size and licence. `all`: also parameters and context. */
  facts: 'purpose' | 'all';
  /** Whether it has a button of its own. */
  action?: boolean;
}

/** A model of the catalogue; its download is shown in its place. */
export function SuggestionRow({ suggestion, facts, action = true }: SuggestionRowProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const { backend, name, title, purpose, sizeBytes, billions, contextLength, licence, verified, fit } =
    suggestion;
  const download = useDownload(suggestion);
  const installed = suggestion.installed || download?.state === 'done';
  if (download && !installed) return <DownloadRow download={download} title={title} />;
  const size = format.fileSize(sizeBytes);
  const parts =
    facts === 'purpose'
      ? [t(`models.purposes.${purpose}`), size, licence]
      : [size, format.parameters(billions), format.tokens(contextLength), licence];
  if (!verified) parts.push(t('models.unverified'));
  if (fit === 'tight') parts.push(t('models.tight'));
  return (
    <div className="flex items-center gap-3 px-3 py-2">
      <div className="min-w-0 grow">
        <p className="flex items-center gap-1.5">
          <b className="min-w-0 truncate font-[600]" title={name}>
            {title}
          </b>
          <Badge source={backend} />
        </p>
        <p className="text-ink-2 text-small">
          <FactLine facts={parts} />
        </p>
      </div>
      {installed && (
        <span className="flex shrink-0 items-center gap-1 text-ink-2 text-small">
          <Check size={14} aria-hidden="true" className="text-ok" />
          {t('models.installed')}
        </span>
      )}
      {!installed && action && (
        <Button
          tone={fit === 'yes' ? 'accent' : 'quiet'}
          aria-label={t('models.getOf', { title })}
          onClick={() => void perform('downloadStart', { backend, name })}
        >
          {t('models.get')}
        </Button>
      )}
    </div>
  );
}
