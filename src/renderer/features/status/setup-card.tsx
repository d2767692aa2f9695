import { useTranslation } from 'react-i18next';
import type { SetupPart } from '../../../shared/status';
import { Button } from '../../components/button';
import { Card } from '../../components/card';
import { Mark } from '../../components/mark';
import { Note } from '../../components/note';
import { Progress } from '../../components/progress';
import { WithCommands } from '../../components/with-commands';
import { backendName } from '../../i18n/backend-name';
import { type Absence, cureWords, setupDetail } from '../../i18n/core-words';
import { en } from '../../i18n/en';
import { useFormat } from '../../i18n/use-format';
import { usePart } from '../../stores/core-store';
import { perform } from '../../stores/request';

const SETTLED = new Set(['ready', 'absent', 'failed']);

/** Progress of the servers' set-up; hidden once every part is ready. */
export function SetupCard() {
  const { t } = useTranslation();
  const parts = (usePart('setup') ?? []).filter((part) => part.stage !== 'ready');
  if (parts.length === 0) return null;
  const broken = parts.every((part) => SETTLED.has(part.stage));
  return (
    <Card
      title={t('status.setupTitle')}
      className="min-[960px]:col-span-full"
      action={broken && <Button onClick={() => void perform('setupRetry', {})}>{t('common.retry')}</Button>}
    >
      {!broken && <p className="text-ink-2 text-small">{t('status.setupBody')}</p>}
      <ul className="mt-1.5 grid gap-2.5">
        {parts.map((part) => (
          <Part key={part.part} part={part} />
        ))}
      </ul>
    </Card>
  );
}

/** Why a part is not available. */
function absenceOf({ code, stage, cure, detail, command }: SetupPart): Absence {
  return { code: code ?? stage, cure: cure ?? detail, details: { command } };
}

function Part({ part }: { part: SetupPart }) {
  const { t } = useTranslation();
  const format = useFormat();
  const name = part.part === 'model' ? t('status.setupModel') : backendName(part.part, t);
  const known = Object.hasOwn(en.status.setupStages, part.stage);
  const stage = known
    ? t(`status.setupStages.${part.stage as keyof typeof en.status.setupStages}`)
    : part.stage;
  if (SETTLED.has(part.stage)) {
    return (
      <li>
        <Note tone={part.stage === 'failed' ? 'bad' : 'warn'}>
          <b className="font-[600]">
            {part.part === 'model'
              ? t('status.setupModelFailed')
              : t('status.setupFailed', { backend: name })}
          </b>
          <p className="text-ink-2 [overflow-wrap:anywhere]" title={part.detail}>
            <WithCommands text={cureWords(absenceOf(part), t)} />
          </p>
          {part.part === 'model' && (
            <Button className="mt-1.5" onClick={() => void perform('setupRetry', { part: 'model' })}>
              {t('common.retry')}
            </Button>
          )}
        </Note>
      </li>
    );
  }
  return (
    <li className="text-small">
      <div className="flex items-center gap-2">
        <Mark shape="working" />
        <b className="font-[600]">{name}</b>
        <span className="min-w-0 grow truncate text-ink-2">{stage}</span>
        <span className="shrink-0 text-ink-3 tabular-nums">
          {part.percent === null ? format.duration(part.elapsedMs) : format.percent(part.percent)}
        </span>
        {part.part === 'model' && (
          <Button onClick={() => void perform('setupCancel', { part: 'model' })}>{t('common.cancel')}</Button>
        )}
      </div>
      <Progress percent={part.percent} label={`${name}: ${stage}`} className="mt-1.5" />
      <p className="mt-1 min-h-4 truncate text-ink-3 text-mini" title={part.detail}>
        {setupDetail(part.detail, format.language, t)}
      </p>
    </li>
  );
}
