import { useState } from 'react';
import type { SettingKey, Settings, SettingView } from '../../../shared/settings';
import { usePart } from '../../stores/core-store';
import { type CallResult, errorSentence, request } from '../../stores/request';
import { showToast } from '../../stores/ui-store';

export interface SettingHandle<K extends SettingKey> {
  key: K;
  value: Settings[K];
  view: SettingView;
  /** The variable that overrides the value; then it cannot be changed here. */
  env: string | null;
  /** What is wrong with the last attempted change; the earlier value still applies. */
  problem: string | null;
  tell: (problem: string | null) => void;
  /** True when the core accepted the value. */
  set: (value: Settings[K]) => Promise<boolean>;
  reset: () => void;
}

/** One setting with its value and a setter; null until the first snapshot. */
export function useSetting<K extends SettingKey>(key: K): SettingHandle<K> | null {
  const view = usePart('settings')?.[key];
  const [problem, tell] = useState<string | null>(null);
  if (!view) return null;
  const change = async (outcome: Promise<CallResult<unknown>>) => {
    tell(null);
    const result = await outcome;
    if (result.ok) return true;
    // The field shows an invalid value's error; the toast shows every other error.
    if (result.error.code === 'setting_invalid') tell(errorSentence(result.error));
    else showToast({ text: errorSentence(result.error), tone: 'error' });
    return false;
  };
  return {
    key,
    // The core validated it against the schema of this key.
    value: view.value as Settings[K],
    view,
    env: view.source === 'environment' ? (view.env ?? key) : null,
    problem,
    tell,
    set: (value) => change(request('settingsSet', { key, value })),
    reset: () => void change(request('settingsReset', { key })),
  };
}
