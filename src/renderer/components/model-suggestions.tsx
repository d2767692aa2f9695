import { Check, X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Pull, Suggestion } from '../../shared/contract';
import { isServing } from '../../shared/domain';
import { useFormat } from '../i18n/use-format';
import { usePart } from '../stores/core-store';
import { errorSentence, perform } from '../stores/request';
import { showToast } from '../stores/ui-store';
import { useFirstOf } from './backends';
import { Button, IconButton } from './button';
import { Progress } from './progress';

/**
 * Recommended models for this machine, each with its button; a download shows its progress in place. `brief`: only the
 * first one, and running downloads.
 */
export function ModelSuggestions({ brief = false }: { brief?: boolean }) {
  const { t } = useTranslation();
  const suggestions = usePart('suggestions') ?? [];
  const pulls = usePart('pulls') ?? [];
  const host = useFirstOf('heavy')?.id;
  const ready = usePart('backends')?.some(({ id, state }) => id === host && isServing(state)) ?? false;
  const rows = suggestions.slice(0, brief ? 1 : undefined).map((suggestion) => ({
    suggestion,
    pull: pulls.find((pull) => pull.name === suggestion.name),
  }));
  const others = pulls.filter(
    ({ name, state }) => state !== 'cancelled' && !rows.some(({ suggestion }) => suggestion.name === name),
  );
  const rescan = async () => {
    if (await perform('modelsRescan', {})) showToast({ text: t('models.rescanned') });
  };
  return (
    <section aria-label={t('models.region')} className="text-left">
      <ul className="grid gap-2">
        {rows.map(({ suggestion, pull }) => (
          <SuggestionRow key={suggestion.name} suggestion={suggestion} pull={pull} ready={ready} />
        ))}
        {others.map((pull) =>
          pull.state === 'failed' ? (
            <FailedRow key={pull.name} pull={pull} ready={ready} />
          ) : (
            <PullRow key={pull.name} pull={pull} title={pull.name} />
          ),
        )}
      </ul>
      {!ready && rows.length > 0 && (
        <p className="mt-2 text-small text-warn-text">{t('models.needsOllama')}</p>
      )}
      {!brief && (
        <p className="mt-3 text-ink-3 text-small">
          {t('models.found')}{' '}
          <button
            type="button"
            onClick={() => void rescan()}
            className="rounded-badge py-1 font-[550] text-accent-text hover:underline"
          >
            {t('models.rescan')}
          </button>
        </p>
      )}
    </section>
  );
}

const ROW = 'rounded-[10px] border border-line bg-card px-3 py-2.5';

interface RowProps {
  suggestion: Suggestion;
  pull: Pull | undefined;
  /** Whether Ollama can download now. */
  ready: boolean;
}

function SuggestionRow({ suggestion, pull, ready }: RowProps) {
  const { t } = useTranslation();
  const format = useFormat();
  if (pull?.state === 'running' || pull?.state === 'done')
    return <PullRow pull={pull} title={suggestion.title} />;
  const parts = [t(`models.purposes.${suggestion.purpose}`), format.fileSize(suggestion.sizeBytes)];
  if (suggestion.fit === 'tight') parts.push(t('models.tight'));
  return (
    <li className={ROW}>
      <div className="flex items-center gap-3">
        <div className="min-w-0 grow">
          <b className="block truncate font-[600]">{suggestion.title}</b>
          <span className="block text-ink-2 text-small">{parts.join(' · ')}</span>
        </div>
        <Button
          tone={suggestion.fit === 'yes' ? 'accent' : 'quiet'}
          disabled={!ready}
          aria-label={t('models.getOf', { title: suggestion.title })}
          onClick={() => void perform('modelPull', { name: suggestion.name })}
        >
          {t(pull?.state === 'failed' ? 'common.retry' : 'models.get')}
        </Button>
        {pull?.state === 'failed' && <PutAway pull={pull} />}
      </div>
      {pull?.state === 'failed' && <PullFailure pull={pull} />}
    </li>
  );
}

/** A failed download of a model that is not among the suggestions. */
function FailedRow({ pull, ready }: { pull: Pull; ready: boolean }) {
  const { t } = useTranslation();
  return (
    <li className={ROW}>
      <div className="flex items-center gap-3">
        <b className="min-w-0 grow truncate font-[600]" title={pull.name}>
          {pull.name}
        </b>
        <Button disabled={!ready} onClick={() => void perform('modelPull', { name: pull.name })}>
          {t('common.retry')}
        </Button>
        <PutAway pull={pull} />
      </div>
      <PullFailure pull={pull} />
    </li>
  );
}

function PutAway({ pull }: { pull: Pull }) {
  const { t } = useTranslation();
  return (
    <IconButton
      label={t('models.putAway', { title: pull.name })}
      className="-ml-1.5"
      onClick={() => void perform('modelPullCancel', { name: pull.name })}
    >
      <X size={14} aria-hidden="true" />
    </IconButton>
  );
}

function PullFailure({ pull: { error } }: { pull: Pull }) {
  const { t } = useTranslation();
  if (error === null) return null;
  return (
    <p role="alert" className="mt-1.5 text-bad-text text-small" title={error.message}>
      {error.code === 'model_not_found' ? t('models.unknown') : errorSentence(error)}
    </p>
  );
}

/** A running or finished download: bytes, speed, time left. */
function PullRow({ pull, title }: { pull: Pull; title: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { completedBytes: done, totalBytes: total, bytesPerSecond: speed } = pull;
  const percent = total === null || total === 0 ? null : Math.min(100, (done / total) * 100);
  if (pull.state === 'done') {
    return (
      <li className={`${ROW} flex items-center gap-2`}>
        <b className="min-w-0 grow truncate font-[600]">{title}</b>
        <Check size={14} aria-hidden="true" className="text-ok" />
        <span className="text-ink-2 text-small">{t('models.installed')}</span>
      </li>
    );
  }
  const facts: string[] = [];
  if (total === null) facts.push(t('models.starting'));
  else if (done >= total) facts.push(t('models.verifying'));
  else {
    facts.push(t('models.progress', { done: format.fileSize(done), total: format.fileSize(total) }));
    if (speed !== null && speed > 0) {
      facts.push(t('units.perSecond', { size: format.fileSize(speed) }));
      facts.push(t('models.left', { time: format.eta(((total - done) / speed) * 1000) }));
    }
  }
  return (
    <li className={ROW}>
      <div className="flex items-center gap-3">
        <div className="min-w-0 grow">
          <b className="block truncate font-[600]">{title}</b>
          <span className="block text-ink-2 text-small tabular-nums">{facts.join(' · ')}</span>
        </div>
        {percent !== null && (
          <span className="text-ink-2 text-small tabular-nums">{format.percent(percent)}</span>
        )}
        <IconButton
          label={t('models.cancelOf', { title })}
          onClick={() => void perform('modelPullCancel', { name: pull.name })}
        >
          <X size={14} aria-hidden="true" />
        </IconButton>
      </div>
      <Progress percent={percent} label={t('models.progressOf', { title })} className="mt-2" />
    </li>
  );
}
