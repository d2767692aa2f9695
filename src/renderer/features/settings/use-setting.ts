import type { SettingKey, Settings, SettingView } from '../../../shared/settings';
import { usePart } from '../../stores/core-store';
import { perform } from '../../stores/request';

export interface SettingHandle<K extends SettingKey> {
  key: K;
  value: Settings[K];
  view: SettingView;
  /** The variable that holds the value; then it cannot be changed here. */
  env: string | null;
  set: (value: Settings[K]) => void;
  reset: () => void;
}

/** One setting with its value and its changes; null until the first snapshot. */
export function useSetting<K extends SettingKey>(key: K): SettingHandle<K> | null {
  const view = usePart('settings')?.[key];
  if (!view) return null;
  return {
    key,
    // The core validated it against the schema of this key.
    value: view.value as Settings[K],
    view,
    env: view.source === 'environment' ? (view.env ?? key) : null,
    set: (value) => void perform('settingsSet', { key, value }),
    reset: () => void perform('settingsReset', { key }),
  };
}
