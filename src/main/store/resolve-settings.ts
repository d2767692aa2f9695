import {
  defaultSettings,
  SETTING_KEYS,
  SETTINGS,
  type SettingKey,
  type Settings,
} from '../../shared/settings';

export interface ResolvedSettings {
  values: Settings;
  /** Where each value that is not a default comes from. */
  chosen: ReadonlyMap<SettingKey, 'environment' | 'file'>;
  /** Keys whose value in the file the schema does not take. */
  invalid: readonly SettingKey[];
}

/** Settings of earlier versions that have another name now; what they say holds until the new one is set. */
const FORMER_NAMES: Partial<Record<SettingKey, string>> = { smallModelInAdopted: 'starterInAdopted' };

/** The values in force: environment first, then file, then default. */
export function resolveSettings(
  file: Readonly<Record<string, unknown>>,
  environment: Readonly<Partial<Settings>>,
): ResolvedSettings {
  const values: Record<string, unknown> = defaultSettings();
  const chosen = new Map<SettingKey, 'environment' | 'file'>();
  const invalid: SettingKey[] = [];
  for (const key of SETTING_KEYS) {
    const name = key in file ? key : FORMER_NAMES[key];
    if (name !== undefined && name in file) {
      const parsed = SETTINGS[key].schema.safeParse(file[name]);
      if (parsed.success) {
        values[key] = parsed.data;
        chosen.set(key, 'file');
      } else invalid.push(key);
    }
    if (key in environment) {
      values[key] = environment[key];
      chosen.set(key, 'environment');
    }
  }
  return { values: values as Settings, chosen, invalid };
}
