import { join } from 'node:path';
import { z } from 'zod';
import type { Warning } from '../../shared/contract';
import { FORMER_SMALL_MODEL_NAME } from '../../shared/domain';
import type { Clock } from '../ports/clock';
import type { FileStore } from '../ports/file-store';

/** Version of the file's format. A file with a higher one was written by a newer Tandem. */
const SETTINGS_VERSION = 1;

const fileSchema = z.object({
  version: z.number().int().min(1),
  values: z.record(z.string(), z.unknown()),
});

export interface LoadedSettings {
  /** The raw values of the file, including keys of newer versions, so that writing loses none. */
  values: Record<string, unknown>;
  /** True if the file must not be written: it has a newer version, or cannot be read. */
  readOnly: boolean;
  warnings: Warning[];
}

export interface SettingsPaths {
  file: string;
  lastGood: string;
  log: string;
}

export function settingsPaths(dataDir: string): SettingsPaths {
  return {
    file: join(dataDir, 'settings.json'),
    lastGood: join(dataDir, 'settings.last-good.json'),
    log: join(dataDir, 'settings-log.jsonl'),
  };
}

/**
 * Loads `settings.json`. Renames a corrupt file to `settings.corrupt-<time>.json`, never deletes it, and uses the last
 * good copy, else nothing (the defaults). Never rejects.
 */
export async function loadSettings(
  files: FileStore,
  paths: SettingsPaths,
  clock: Clock,
): Promise<LoadedSettings> {
  const text = await readOrError(files, paths.file);
  if (text instanceof Error) return unreadable(files, paths, text);
  if (text === null) return { values: {}, readOnly: false, warnings: [] };
  const parsed = parseSettings(text);
  if (!parsed) return setAside(files, paths, clock);
  if (parsed.version > SETTINGS_VERSION) return newer(parsed, paths);
  // Keeps the copy in step with a file that the user edited; if that fails, the older copy stays.
  if (text !== (await readOrError(files, paths.lastGood))) {
    await files.replace(paths.lastGood, text).catch(() => {});
  }
  return { values: parsed.values, readOnly: false, warnings: [] };
}

/** Writes both files; only the first one determines success. Rejects with `disk_full`. */
export async function saveSettings(
  files: FileStore,
  paths: SettingsPaths,
  values: Record<string, unknown>,
): Promise<void> {
  const text = `${JSON.stringify({ version: SETTINGS_VERSION, values }, null, 2)}\n`;
  await files.replace(paths.file, text);
  await files.replace(paths.lastGood, text).catch(() => {});
}

function parseSettings(text: string): z.infer<typeof fileSchema> | null {
  try {
    const { version, values } = fileSchema.parse(JSON.parse(text));
    return { version, values: withoutStarter(values) };
  } catch {
    return null;
  }
}

/**
 * Earlier builds of Tandem included a model named `tandem-starter`. Settings with its name fall back to the default,
 * and consent to create it does not apply to its successor, which is twenty times as large.
 */
function withoutStarter(values: Record<string, unknown>): Record<string, unknown> {
  const kept = Object.entries(values).filter(
    ([key, value]) =>
      key !== 'starterInAdopted' && String(value).replace(/:latest$/, '') !== FORMER_SMALL_MODEL_NAME,
  );
  return Object.fromEntries(kept);
}

async function readOrError(files: FileStore, path: string): Promise<string | null | Error> {
  try {
    return await files.readText(path);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function lastGoodValues(
  files: FileStore,
  paths: SettingsPaths,
): Promise<Record<string, unknown> | null> {
  const text = await readOrError(files, paths.lastGood);
  return typeof text === 'string' ? (parseSettings(text)?.values ?? null) : null;
}

/** Which values apply instead, for a sentence of the UI. */
function usedInstead(lastGood: Record<string, unknown> | null) {
  return { used: lastGood ? 'lastGood' : 'defaults' };
}

async function setAside(files: FileStore, paths: SettingsPaths, clock: Clock): Promise<LoadedSettings> {
  const stamp = clock.wall().toISOString().replaceAll(':', '-');
  const aside = paths.file.replace(/\.json$/, `.corrupt-${stamp}.json`);
  const moved = await files.rename(paths.file, aside).then(
    () => true,
    () => false,
  );
  const lastGood = await lastGoodValues(files, paths);
  const kept = moved ? `It was kept as ${aside}` : `It could not be moved and stays at ${paths.file}`;
  const used = lastGood ? 'the last good copy is used' : 'the defaults hold';
  const cure = 'Check the settings, or repair that file and put it back while Tandem is stopped.';
  return {
    values: lastGood ?? {},
    readOnly: !moved,
    warnings: [
      {
        code: 'settings_corrupt',
        message: `The settings file was not valid. ${kept}; ${used}. ${cure}`,
        details: {
          problem: moved ? 'kept' : 'left',
          path: moved ? aside : paths.file,
          ...usedInstead(lastGood),
        },
      },
    ],
  };
}

async function unreadable(files: FileStore, paths: SettingsPaths, error: Error): Promise<LoadedSettings> {
  const lastGood = await lastGoodValues(files, paths);
  const used = lastGood ? 'the last good copy is used' : 'the defaults hold';
  return {
    values: lastGood ?? {},
    readOnly: true,
    warnings: [
      {
        code: 'settings_corrupt',
        message: `${paths.file} cannot be read (${error.message}); ${used}, and changes are refused. Give your user the right to read and write it, then restart Tandem.`,
        details: { problem: 'unreadable', path: paths.file, ...usedInstead(lastGood) },
      },
    ],
  };
}

function newer(parsed: z.infer<typeof fileSchema>, paths: SettingsPaths): LoadedSettings {
  return {
    values: parsed.values,
    readOnly: true,
    warnings: [
      {
        code: 'read_only',
        message: `${paths.file} was written by a newer Tandem (version ${parsed.version}); it is used but not changed. Update Tandem to change settings.`,
        details: { path: paths.file, version: parsed.version },
      },
    ],
  };
}
