import {
  defaultSettings,
  EXCLUSIVE_SETTINGS,
  ORDERED_SETTINGS,
  SETTING_KEYS,
  type SettingKey,
  type Settings,
} from '../../shared/settings';
import { readSetting } from './read-setting';

export type SettingSource = 'environment' | 'file';

/** A value, or an entry of one, that is ignored. */
export interface InvalidSetting {
  key: SettingKey;
  source: SettingSource;
  /** The dropped entry; absent = the whole value. */
  entry?: string;
  /** The other setting whose value it contradicts. */
  against?: SettingKey;
}

export interface ResolvedSettings {
  values: Settings;
  /** The source of each value that is not a default. */
  chosen: ReadonlyMap<SettingKey, SettingSource>;
  invalid: readonly InvalidSetting[];
}

/** The effective values: environment first, then file, then default. */
export function resolveSettings(
  file: Readonly<Record<string, unknown>>,
  environment: Readonly<Partial<Settings>>,
): ResolvedSettings {
  const values: Record<SettingKey, unknown> = defaultSettings();
  const chosen = new Map<SettingKey, SettingSource>();
  const invalid: InvalidSetting[] = [];
  for (const key of SETTING_KEYS) {
    if (Object.hasOwn(file, key)) {
      const read = readSetting(key, file[key]);
      if (read) {
        values[key] = read.value;
        chosen.set(key, 'file');
        for (const entry of read.dropped) invalid.push({ key, source: 'file', entry });
      } else invalid.push({ key, source: 'file' });
    }
    if (Object.hasOwn(environment, key)) {
      values[key] = environment[key];
      chosen.set(key, 'environment');
    }
  }
  const resolved = values as Settings;
  return { values: resolved, chosen, invalid: [...invalid, ...reconcile(resolved, chosen)] };
}

/** Makes the values agree. Of two contradicting chosen values the environment's stays; from one source neither, as the intent is unknown. */
function reconcile(values: Settings, chosen: Map<SettingKey, SettingSource>): InvalidSetting[] {
  const dropped: InvalidSetting[] = [];
  const defaults = defaultSettings();
  const drop = (key: SettingKey, against: SettingKey) => {
    const source = chosen.get(key);
    if (source) dropped.push({ key, source, against });
    chosen.delete(key);
  };
  const dropOf = (first: SettingKey, second: SettingKey) => {
    const same = chosen.get(first) === chosen.get(second);
    const kept = same ? null : chosen.get(first) === 'environment' ? first : second;
    if (kept !== first) drop(first, second);
    if (kept !== second) drop(second, first);
  };
  for (const [first, second] of EXCLUSIVE_SETTINGS) {
    if (values[first] <= defaults[first] || values[second] <= defaults[second]) continue;
    dropOf(first, second);
    for (const key of [first, second]) if (!chosen.has(key)) values[key] = defaults[key];
  }
  for (const [low, high] of ORDERED_SETTINGS) {
    if (values[low] <= values[high]) continue;
    if (chosen.has(low) && chosen.has(high)) dropOf(low, high);
    if (!chosen.has(low))
      values[low] = Math.min(defaults[low], chosen.has(high) ? values[high] : defaults[high]);
    if (!chosen.has(high)) values[high] = Math.max(defaults[high], values[low]);
  }
  return dropped;
}
