import { z } from 'zod';
import { SETTING_KEYS, type SettingKey } from '../../shared/settings';
import type { Clock } from '../ports/clock';
import type { FileStore } from '../ports/file-store';

/** The effective values before and after; for a reset, `new` is the default. */
export interface SettingChange {
  key: SettingKey;
  old: unknown;
  new: unknown;
}

const lineSchema = z.object({
  at: z.iso.datetime(),
  key: z.enum(SETTING_KEYS),
  old: z.unknown(),
  new: z.unknown(),
});

const MAX_BYTES = 256 * 1024;

/**
 * Appends one JSON line per change (what, old, new, when). Above 256 KiB the older half of the lines is deleted.
 * Rejects with `disk_full` like any write; a failure does not undo the change (see the caller).
 */
export async function logSettingChange(
  files: FileStore,
  path: string,
  clock: Clock,
  change: SettingChange,
): Promise<void> {
  await files.append(path, `${JSON.stringify({ at: clock.wall().toISOString(), ...change })}\n`);
  if ((await files.size(path)) <= MAX_BYTES) return;
  const lines = ((await files.readText(path)) ?? '').split('\n');
  await files.replace(path, lines.slice(Math.floor(lines.length / 2)).join('\n'));
}

/**
 * The changes since a wall time in ms, oldest first. Never rejects: an unreadable line is skipped, and an unreadable
 * file counts as empty.
 */
export async function readSettingChanges(
  files: Pick<FileStore, 'readText'>,
  path: string,
  since: number,
): Promise<(SettingChange & { at: string })[]> {
  const text = await files.readText(path).catch(() => null);
  return (text ?? '').split('\n').flatMap((line) => {
    const change = readLine(line);
    return change && Date.parse(change.at) >= since ? [change] : [];
  });
}

function readLine(line: string): (SettingChange & { at: string }) | null {
  if (line === '') return null;
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
