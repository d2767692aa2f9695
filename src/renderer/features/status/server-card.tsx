import { RotateCw } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { BackendStatus } from '../../../shared/status';
import { markOf, shortModel, stateWords } from '../../components/backend-words';
import { useFirstOf } from '../../components/backends';
import { Button } from '../../components/button';
import { CaptionedFigure, Card } from '../../components/card';
import { Mark } from '../../components/mark';
import { useNow } from '../../components/use-now';
import { backendName } from '../../i18n/backend-name';
import { useFormat } from '../../i18n/use-format';
import { usePart } from '../../stores/core-store';
import { perform } from '../../stores/request';
import { ladderWords } from './limit-words';
import { RestartStages } from './restart-stages';
import { ServerLife } from './server-life';
import { ServerTrouble } from './server-trouble';

/** One server: its state in words, what it runs, its figures, its last problem, and its restart. */
export function ServerCard({ status }: { status: BackendStatus }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow(1_000);
  const light = useFirstOf('light');
  const name = backendName(status.id, t);
  const ours = status.ownership === 'managed' || light?.id === status.id;
  const settingUp = status.stage === 'setup';
  const resting = status.state === 'open' || (status.state === 'stopped' && !settingUp);
  return (
    <Card
      data-testid={`status-${status.id}`}
      data-state={status.state}
      data-model={status.model ?? ''}
      title={
        <>
          <Mark shape={markOf(status)} />
          {name}
        </>
      }
      aside={stateWords(status, t, format, now)}
      action={
        ours &&
        !settingUp &&
        status.ownership !== 'remote' && (
          <Button
            data-testid={`restart-${status.id}`}
            tone={resting ? 'accent' : 'quiet'}
            aria-label={t(resting ? 'status.tryAgainOf' : 'status.restartOf', { backend: name })}
            onClick={() => void perform('backendRestart', { backend: status.id })}
          >
            <RotateCw size={12} aria-hidden="true" />
            <span className="hidden @min-[270px]:inline">
              {t(resting ? 'status.tryAgain' : 'status.restart')}
            </span>
          </Button>
        )
      }
    >
      <ModelLine status={status} />
      <RestartStages status={status} />
      <ServerTrouble status={status} now={now} />
      <Figures status={status} now={now} />
      <LadderLine status={status} now={now} />
      <ServerLife status={status} now={now} />
    </Card>
  );
}

function ModelLine({ status }: { status: BackendStatus }) {
  const { t } = useTranslation();
  const models = usePart('models');
  const light = useFirstOf('light');
  const onlyLight = usePart('settings')?.mlxOnlyLight?.value === true;
  if (status.state === 'absent' || (status.state === 'stopped' && status.stage === 'setup')) return null;
  const model = models?.find(
    (candidate) => candidate.backend === status.id && candidate.name === status.model,
  );
  const parts: string[] = [];
  if (model?.small) parts.push(t('status.small'));
  else parts.push(status.model === null ? t('status.noModel') : shortModel(status.model));
  if (light?.id === status.id && onlyLight && !model?.small) parts.push(t('status.lightOnly'));
  const port = status.url ? new URL(status.url).port : '';
  if (status.ownership === 'adopted') parts.push(t('status.adopted', { port }));
  if (status.ownership === 'remote') parts.push(t('status.remote'));
  return (
    <p
      className="truncate text-ink-2 text-small"
      title={[status.model, status.url].filter(Boolean).join(' · ')}
    >
      {parts.join(' · ')}
    </p>
  );
}

/** What the server does without since it ran out of memory. */
function LadderLine({ status: { ladder }, now }: { status: BackendStatus; now: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (ladder === null || (ladder.rung === 0 && ladder.prefillStepTokens === null)) return null;
  return (
    <p className="mt-2 text-ink-2 text-small leading-snug tabular-nums">
      {ladderWords(ladder, t, format, now)}
    </p>
  );
}

function Figures({ status, now }: { status: BackendStatus; now: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (status.state === 'absent' || (status.state === 'stopped' && status.stage === 'setup')) return null;
  const restarts = t('status.restartsOf', {
    n: format.number(status.restarts),
    max: format.number(status.maxRestarts),
  });
  return (
    <>
      <div>
        <dl className="mt-2.5 grid grid-cols-[repeat(auto-fit,minmax(66px,1fr))] gap-x-3 gap-y-2">
          {status.memoryBytes !== null && (
            <CaptionedFigure value={format.memory(status.memoryBytes)} caption={t('status.memory')} />
          )}
          {status.readySince !== null && (
            <CaptionedFigure
              value={format.duration(Math.max(1_000, now - status.readySince))}
              caption={t('status.uptime')}
              title={format.moment(status.readySince)}
            />
          )}
          {status.ownership === 'managed' && (
            <CaptionedFigure value={restarts} caption={t('status.restarts')} />
          )}
          {status.version !== null && (
            <CaptionedFigure
              value={status.version}
              caption={t('status.version')}
              className="hidden @min-[330px]:block"
            />
          )}
        </dl>
      </div>
      {status.draining > 0 && (
        <p className="mt-2 text-ink-2 text-small">{t('status.draining', { count: status.draining })}</p>
      )}
    </>
  );
}
