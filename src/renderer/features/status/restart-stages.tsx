import { Check } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { BackendStatus } from '../../../shared/status';
import { cx } from '../../components/cx';
import { Mark } from '../../components/mark';
import { backendName } from '../../i18n/backend-name';

const STEPS = ['stop', 'start', 'load', 'test'] as const;

/** Which of the four steps a stage belongs to; -1 when no restart is running. */
const STEP_OF: Record<BackendStatus['stage'], number> = {
  idle: -1,
  setup: -1,
  draining: 0,
  terminating: 0,
  killing: 0,
  waiting: 1,
  spawning: 1,
  loading: 2,
  probing: 3,
};

/** The four steps of a restart, with a spinner at the current one. */
export function RestartStages({ status }: { status: BackendStatus }) {
  const { t } = useTranslation();
  const current = STEP_OF[status.stage];
  // A server that finishes a cancelled request while it serves is not restarting.
  const serving = status.state === 'busy' || status.state === 'ready' || status.state === 'adopted';
  if (current === -1 || serving) return null;
  return (
    <ol
      aria-label={t('stage.label', { backend: backendName(status.id, t) })}
      className="fade-in mt-2.5 grid grid-cols-4 gap-1.5"
    >
      {STEPS.map((step, index) => (
        <li key={step} aria-current={index === current ? 'step' : undefined} className="min-w-0">
          <span className={cx('block h-1 rounded-full', index <= current ? 'bg-accent' : 'bg-line')} />
          <span
            className={cx(
              'mt-1 flex items-center gap-1 text-mini',
              index === current ? 'font-[600] text-ink' : 'text-ink-3',
            )}
          >
            {index < current && <Check size={11} aria-hidden="true" className="shrink-0 text-ok" />}
            {index === current && <Mark shape="working" />}
            <span className="truncate">{t(`stage.${step}`)}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}
