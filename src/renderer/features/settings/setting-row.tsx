import type { TFunction } from 'i18next';
import { Undo2 } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import type { SettingKey, SettingView } from '../../../shared/settings';
import { useFirstOf } from '../../components/backends';
import { IconButton } from '../../components/button';
import { cx } from '../../components/cx';
import { perform } from '../../stores/request';
import type { SettingHandle } from './use-setting';

interface SettingRowProps<K extends SettingKey> {
  setting: SettingHandle<K> | null;
  title: string;
  hint?: string;
  /** The control; gets the id of its description and whether it is disabled. */
  control: (props: { setting: SettingHandle<K>; describedBy: string; disabled: boolean }) => ReactNode;
  /** Why it cannot be changed here, other than by an environment variable. */
  blocked?: string | null;
  /** Less spacing: one of several similar rows. */
  compact?: boolean;
  /** Below the row: risks and questions. */
  children?: ReactNode;
}

/** One setting: its name, effect, control, overriding variable, and when a change takes effect. */
export function SettingRow<K extends SettingKey>({
  setting,
  title,
  hint,
  control,
  blocked,
  compact = false,
  children,
}: SettingRowProps<K>) {
  const { t } = useTranslation();
  const describedBy = useId();
  if (setting === null) return null;
  const { env, view } = setting;
  const lines = [
    hint,
    !view.pendingRestart && !env && actsLine(view.acts, t),
    env && t('settings.envHint', { name: env }),
    blocked,
  ].filter(Boolean);
  return (
    <div className={cx('px-3.5', compact ? 'py-1' : 'py-2.5')} data-setting={setting.key}>
      <div className="flex flex-wrap items-center justify-end gap-x-3 gap-y-1.5">
        <div className="min-w-[min(120px,100%)] flex-1">
          <p className="flex flex-wrap items-center gap-x-2">
            <span>{title}</span>
            {env && (
              <code className="rounded-[5px] border border-line-2 px-1.5 font-mono text-[10px] text-ink-3">
                {t('settings.env', { name: env })}
              </code>
            )}
          </p>
          <p id={describedBy} className="text-ink-2 text-small leading-[1.4]">
            {lines.join(' ')}
          </p>
        </div>
        <div className="flex min-w-0 items-center gap-1">
          {view.source === 'file' && (
            <IconButton label={t('common.resetOf', { name: title })} onClick={setting.reset}>
              <Undo2 size={13} aria-hidden="true" />
            </IconButton>
          )}
          {control({ setting, describedBy, disabled: env !== null || Boolean(blocked) })}
        </div>
      </div>
      {setting.problem !== null && (
        <p role="alert" className="mt-1 text-right text-bad-text text-small">
          {setting.problem}
        </p>
      )}
      {children}
      {view.pendingRestart && <Pending acts={view.acts} />}
    </div>
  );
}

/** When a change takes effect, if that is not at once. */
function actsLine(acts: SettingView['acts'], t: TFunction): string | null {
  if (acts === 'now') return null;
  return t(acts === 'mlx-restart' ? 'settings.actsMlx' : 'settings.actsApp');
}

/** The consequence of a change that has not taken effect yet, with the button that applies it. */
function Pending({ acts }: { acts: SettingView['acts'] }) {
  const { t } = useTranslation();
  const light = useFirstOf('light');
  if (acts === 'now') return null;
  return (
    <p className="fade-in mt-1.5 flex flex-wrap items-center gap-x-2 text-small text-warn-text">
      {t(acts === 'mlx-restart' ? 'settings.pendingMlx' : 'settings.pendingApp')}
      {acts === 'mlx-restart' && light && (
        <button
          type="button"
          onClick={() => void perform('backendRestart', { backend: light.id })}
          className="rounded-badge py-1 font-[550] text-accent-text hover:underline"
        >
          {t('settings.restartNow')}
        </button>
      )}
    </p>
  );
}
