import { isAbsolute } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Warning } from '../../shared/contract';
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
import { withoutCredentials } from '../ports/server-address';
import { parseEnvironment } from './environment';
import { type ResolvedSettings, resolveSettings } from './resolve-settings';
import { contradicts, fromEnvironment, invalid, noFolder, notUsed, readOnly } from './setting-problems';
import { loadSettings, type SettingsPaths, saveSettings, settingsPaths } from './settings-file';
import { logSettingChange, type SettingChange } from './settings-log';

export interface SettingsOptions {
  dataDir: string;
  env: Readonly<Record<string, string | undefined>>;
  files: FileStore;
  clock: Clock;
  logger?: Logger;
  /** Is this path a readable folder now? */
  isFolder: (path: string) => Promise<boolean>;
}

/** What must restart before a setting takes effect: the MLX server, or the app itself. */
export type AppliedTo = 'mlx-restart' | 'app-restart';

/** Loads the settings; problems become `warnings`, so the promise never rejects. */
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
  readonly #unusable: readonly SettingKey[];
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
    this.#unusable = environment.unusable;
    this.#resolved = resolveSettings(this.#file, environment.values);
    this.warnings = [...loaded.warnings, ...this.#resolved.invalid.map(notUsed), ...environment.warnings];
    this.onChange = this.#changed.subscribe;
    this.markApplied('app-restart');
  }

  values(): Settings {
    return this.#resolved.values;
  }

  /** Does the environment or the file give only an unusable value? Then nobody chose the default. */
  isUnusable(key: SettingKey): boolean {
    if (this.#resolved.chosen.has(key)) return false;
    const inFile = this.#resolved.invalid.some(
      (problem) => problem.key === key && problem.entry === undefined,
    );
    return inFile || this.#unusable.includes(key);
  }

  /** For the UI. `pendingRestart` compares with the values at the start of the running MLX or app. */
  view(): SettingsView {
    const entries = SETTING_KEYS.map((key) => {
      const source = this.#resolved.chosen.get(key) ?? 'default';
      const { env, acts } = SETTINGS[key];
      return [
        key,
        {
          value: withoutCredentials(this.values()[key]),
          source,
          env: source === 'environment' ? env : null,
          acts,
          pendingRestart: this.#pendingRestart(key),
        },
      ];
    });
    return Object.fromEntries(entries) as SettingsView;
  }

  /** Call when MLX was started with the current values; the constructor does so for the app. */
  markApplied(to: AppliedTo): void {
    this.#applied[to] = structuredClone(this.values());
  }

  /**
   * Resolves when the value is on disk. Rejects with `setting_invalid`, `setting_from_environment`, `read_only` or
   * `disk_full`, and then the old value still applies.
   */
  async set(key: SettingKey, value: unknown): Promise<void> {
    const parsed = SETTINGS[key].schema.safeParse(value);
    if (!parsed.success) throw invalid(key);
    if (key === 'modelFolders') await this.#checkFolders(parsed.data as Settings['modelFolders']);
    return this.#write(key, (file) => ({ ...file, [key]: parsed.data }));
  }

  /** Resets to the default. Rejects like `set`. */
  reset(key: SettingKey): Promise<void> {
    return this.#write(key, ({ [key]: _removed, ...rest }) => rest);
  }

  #write(key: SettingKey, change: (file: Record<string, unknown>) => Record<string, unknown>): Promise<void> {
    const task = this.#writing.then(() => this.#apply(key, change(this.#file)));
    this.#writing = task.catch(() => {});
    return task;
  }

  async #apply(key: SettingKey, changed: Record<string, unknown>): Promise<void> {
    const file = this.#withoutContradictions(key, changed);
    if (key in this.#fromEnvironment) throw fromEnvironment(key);
    if (this.#readOnly) throw readOnly(this.#paths.file);
    if (isDeepStrictEqual(file, this.#file)) return;
    const resolved = resolveSettings(file, this.#fromEnvironment);
    const against = resolved.invalid.find((problem) => problem.key === key)?.against;
    if (against) throw contradicts(key, against, this.values()[against]);
    await saveSettings(this.#options.files, this.#paths, file);
    const old = this.values()[key];
    this.#file = file;
    this.#resolved = resolved;
    const now = this.values()[key];
    const change: SettingChange = { key, old: withoutCredentials(old), new: withoutCredentials(now) };
    if (!isDeepStrictEqual(old, now)) await this.#log(change);
    this.#changed.emit(change);
  }

  /** A value that is ignored because it contradicts another one must not block a new value of that one. */
  #withoutContradictions(key: SettingKey, file: Record<string, unknown>): Record<string, unknown> {
    const dead = this.#resolved.invalid.filter((problem) => problem.against === key);
    const isDead = (name: string) =>
      dead.some((problem) => problem.source === 'file' && problem.key === name);
    return Object.fromEntries(Object.entries(file).filter(([name]) => !isDead(name)));
  }

  /** A folder already in the list may be temporarily unavailable, such as on a volume; a new one must exist. */
  async #checkFolders(folders: readonly string[]): Promise<void> {
    const { isFolder } = this.#options;
    for (const path of folders) {
      if (this.values().modelFolders.includes(path)) continue;
      if (!isAbsolute(path) || !(await isFolder(path))) throw noFolder('modelFolders', path);
    }
  }

  /** A failed log entry does not undo the change. */
  async #log(change: SettingChange): Promise<void> {
    const { files, clock } = this.#options;
    await logSettingChange(files, this.#paths.log, clock, change).catch((error) =>
      this.#logger.warn('settings_log_failed', { key: change.key, error }),
    );
  }

  #pendingRestart(key: SettingKey): boolean {
    const { acts } = SETTINGS[key];
    if (acts === 'now') return false;
    const applied = this.#applied[acts];
    return applied !== undefined && !isDeepStrictEqual(applied[key], this.values()[key]);
  }
}
