import { isDeepStrictEqual } from 'node:util';
import type { Warning } from '../../shared/contract';
import { TandemError } from '../../shared/errors';
import {
  SETTING_KEYS,
  SETTINGS,
  type SettingKey,
  type Settings,
  type SettingsView,
} from '../../shared/settings';
import type { Clock } from '../ports/clock';
import { Emitter, type Unsubscribe } from '../ports/emitter';
import type { FileStore } from '../ports/file-store';
import { type Logger, silentLogger } from '../ports/logger';
import { acceptedDetails, acceptedValues, parseEnvironment } from './environment';
import { type ResolvedSettings, resolveSettings } from './resolve-settings';
import { loadSettings, type SettingsPaths, saveSettings, settingsPaths } from './settings-file';
import { logSettingChange, type SettingChange } from './settings-log';

export interface SettingsOptions {
  dataDir: string;
  env: Readonly<Record<string, string | undefined>>;
  files: FileStore;
  clock: Clock;
  logger?: Logger;
}

/** What a restart applies settings to: the MLX server, or the app itself. */
export type AppliedTo = 'mlx' | 'app';

/** Loads the settings; problems become `warnings`, the promise never rejects. */
export async function openSettings(options: SettingsOptions): Promise<SettingsStore> {
  const paths = settingsPaths(options.dataDir);
  const loaded = await loadSettings(options.files, paths, options.clock);
  return new SettingsStore(options, paths, loaded);
}

/** Settings: environment first, then file, then default. One writer at a time; the file is replaced atomically. */
export class SettingsStore {
  readonly warnings: readonly Warning[];
  readonly onChange: (listener: (change: SettingChange) => void) => Unsubscribe;
  readonly #changed = new Emitter<SettingChange>();
  readonly #options: SettingsOptions;
  readonly #logger: Logger;
  readonly #paths: SettingsPaths;
  readonly #readOnly: boolean;
  readonly #fromEnvironment: Partial<Settings>;
  /** As in the file: unknown keys and invalid values stay until the user changes them. */
  #file: Record<string, unknown>;
  #resolved: ResolvedSettings;
  readonly #applied: Partial<Record<AppliedTo, Settings>> = {};
  #writing: Promise<unknown> = Promise.resolve();

  constructor(
    options: SettingsOptions,
    paths: SettingsPaths,
    loaded: { values: Record<string, unknown>; readOnly: boolean; warnings: Warning[] },
  ) {
    const environment = parseEnvironment(options.env);
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#paths = paths;
    this.#readOnly = loaded.readOnly;
    this.#file = loaded.values;
    this.#fromEnvironment = environment.values;
    this.#resolved = resolveSettings(this.#file, environment.values);
    this.warnings = [
      ...loaded.warnings,
      ...this.#resolved.invalid.map(invalidInFile),
      ...environment.warnings,
    ];
    this.onChange = this.#changed.subscribe;
    this.markApplied('app');
  }

  values(): Settings {
    return this.#resolved.values;
  }

  /** For the UI. `pendingRestart` compares with what the running MLX, or the app, started with. */
  view(): SettingsView {
    const entries = SETTING_KEYS.map((key) => {
      const source = this.#resolved.chosen.get(key) ?? 'default';
      const { env, acts } = SETTINGS[key];
      return [
        key,
        {
          value: this.values()[key],
          source,
          env: source === 'environment' ? env : null,
          acts,
          pendingRestart: this.#pendingRestart(key),
        },
      ];
    });
    return Object.fromEntries(entries) as SettingsView;
  }

  /** Call when MLX was started with the present values; the app's own are taken when it opens. */
  markApplied(to: AppliedTo): void {
    this.#applied[to] = structuredClone(this.values());
  }

  /**
   * Resolves when the value is on disk. Rejects with `setting_invalid`, `setting_from_environment`, `read_only` or
   * `disk_full`, and then the old value holds.
   */
  set(key: SettingKey, value: unknown): Promise<void> {
    const parsed = SETTINGS[key].schema.safeParse(value);
    if (!parsed.success) return Promise.reject(invalid(key));
    return this.#write(key, (file) => ({ ...file, [key]: parsed.data }));
  }

  /** Back to the default. Rejects as `set` does. */
  reset(key: SettingKey): Promise<void> {
    return this.#write(key, ({ [key]: _removed, ...rest }) => rest);
  }

  #write(key: SettingKey, change: (file: Record<string, unknown>) => Record<string, unknown>): Promise<void> {
    const task = this.#writing.then(() => this.#apply(key, change(this.#file)));
    this.#writing = task.catch(() => {});
    return task;
  }

  async #apply(key: SettingKey, file: Record<string, unknown>): Promise<void> {
    if (key in this.#fromEnvironment) throw fromEnvironment(key);
    if (this.#readOnly) throw readOnly(this.#paths.file);
    if (isDeepStrictEqual(file, this.#file)) return;
    await saveSettings(this.#options.files, this.#paths, file);
    const old = this.values()[key];
    this.#file = file;
    this.#resolved = resolveSettings(file, this.#fromEnvironment);
    const change: SettingChange = { key, old, new: this.values()[key] };
    if (!isDeepStrictEqual(change.old, change.new)) await this.#log(change);
    this.#changed.emit(change);
  }

  /** A change stands without its line in the log: the user's wish comes first. */
  async #log(change: SettingChange): Promise<void> {
    const { files, clock } = this.#options;
    await logSettingChange(files, this.#paths.log, clock, change).catch((error) =>
      this.#logger.warn('settings_log_failed', { key: change.key, error }),
    );
  }

  #pendingRestart(key: SettingKey): boolean {
    const { acts } = SETTINGS[key];
    if (acts === 'now') return false;
    const applied = this.#applied[acts === 'mlx-restart' ? 'mlx' : 'app'];
    return applied !== undefined && !isDeepStrictEqual(applied[key], this.values()[key]);
  }
}

function invalidInFile(key: SettingKey): Warning {
  return {
    code: 'setting_invalid',
    message: `${key} in the settings file is not valid, the default holds. Accepted: ${acceptedValues(key)}.`,
    details: { name: key, ...acceptedDetails(key) },
  };
}

function invalid(key: SettingKey): TandemError {
  return new TandemError(
    'setting_invalid',
    `${key} does not take this value. Accepted: ${acceptedValues(key)}.`,
    {
      details: { key },
    },
  );
}

function fromEnvironment(key: SettingKey): TandemError {
  const name = SETTINGS[key].env;
  return new TandemError(
    'setting_from_environment',
    `${key} is held by the environment variable ${name}. Unset it and restart Tandem to change it here.`,
    { details: { key, name } },
  );
}

function readOnly(file: string): TandemError {
  return new TandemError(
    'read_only',
    `${file} is not changed by this Tandem; the warning at start says why and the cure.`,
    {
      details: { file },
    },
  );
}
