import { useTranslation } from 'react-i18next';
import type { Pair, Suggestion } from '../../../shared/models';
import { Button } from '../../components/button';
import { FactLine } from '../../components/fact-line';
import { isUnderWay } from '../../components/models/download-words';
import { SuggestionRow } from '../../components/models/suggestion-row';
import { isForModel, useDownloads } from '../../components/models/use-downloads';
import { Note } from '../../components/note';
import { useFormat } from '../../i18n/use-format';
import { perform } from '../../stores/request';

interface FirstStartPairProps {
  pair: Pair;
  diskFreeBytes: number | null;
  /** Leaves the screen. */
  onDone: () => void;
}

/** Two models that run together, what they cost, and the one button that downloads what is missing. */
export function FirstStartPair({ pair, diskFreeBytes, onDone }: FirstStartPairProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const downloads = useDownloads();
  const models = [pair.light, pair.heavy].filter((model) => model !== null);
  const downloadOf = (model: Suggestion) => downloads.find((download) => isForModel(download, model));
  const missing = models.filter((model) => !model.installed && downloadOf(model)?.state !== 'done');
  const left = diskFreeBytes === null ? null : diskFreeBytes - pair.downloadBytes;
  const started = missing.some((model) => {
    const download = downloadOf(model);
    return download !== undefined && (isUnderWay(download) || download.state === 'paused');
  });
  const lacking = !started && missing.length > 0 && left !== null && left < 0 ? -left : null;
  return (
    <section aria-label={t('firstStart.pair')} className="rounded-card border border-line bg-card">
      <h3 className="px-3 pt-2 text-ink-2 text-small">
        <b className="font-[600]">{t('firstStart.pair')}</b>{' '}
        <FactLine facts={[t('firstStart.together', { size: format.memory(pair.memoryBytes) })]} />
      </h3>
      <ul className="divide-y divide-line">
        {models.map((model) => (
          <li key={`${model.backend}/${model.name}`}>
            <SuggestionRow suggestion={model} facts="purpose" action={false} />
          </li>
        ))}
      </ul>
      <div className="grid grid-cols-[minmax(0,1fr)] gap-2 border-line border-t px-3 py-2">
        {lacking !== null && (
          <Note tone="bad">
            {t('firstStart.diskShort', {
              size: format.fileSize(pair.downloadBytes),
              free: format.fileSize(diskFreeBytes ?? 0),
              more: format.fileSize(lacking),
            })}
          </Note>
        )}
        {left !== null && left >= 0 && !started && missing.length > 0 && (
          <p className="text-ink-2 text-small">
            {t('firstStart.diskAfter', { left: format.fileSize(left) })}
          </p>
        )}
        <MainButton
          missing={missing}
          started={started}
          pair={pair}
          blocked={lacking !== null}
          onDone={onDone}
        />
      </div>
    </section>
  );
}

interface MainButtonProps {
  missing: readonly Suggestion[];
  /** Whether a download of the pair is under way. */
  started: boolean;
  pair: Pair;
  blocked: boolean;
  onDone: () => void;
}

function MainButton({ missing, started, pair, blocked, onDone }: MainButtonProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const settled = started || missing.length === 0;
  const get = () => {
    for (const { backend, name } of missing) void perform('downloadStart', { backend, name });
  };
  const size = format.fileSize(pair.downloadBytes);
  const [only] = missing;
  const words = settled
    ? t(started ? 'firstStart.goOn' : 'firstStart.begin')
    : missing.length === 1 && only
      ? t('firstStart.getOne', { title: only.title, size })
      : t('firstStart.getBoth', { size });
  return (
    <Button
      tone="accent"
      className="min-h-8 w-full text-body"
      disabled={blocked}
      onClick={settled ? onDone : get}
    >
      {words}
    </Button>
  );
}
