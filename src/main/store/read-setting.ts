import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { SETTINGS, type SettingKey } from '../../shared/settings';
import { withoutCredentials } from '../ports/server-address';

/** A value that a setting accepts, and the entries of a list or table that were dropped from it. */
export interface ReadSetting {
  value: unknown;
  /** The entries as the user knows them: the text of a list's entry, the name of a table's. */
  dropped: string[];
}

const SHOWN_CHARS = 80;

/**
 * Reads the value of a setting from the environment or the file. An invalid entry does not invalidate a list: the valid
 * ones apply. Null if nothing of it is usable, unless an empty value is the default.
 */
export function readSetting(key: SettingKey, given: unknown): ReadSetting | null {
  const { schema, default: unset }: { schema: z.ZodType; default: unknown } = SETTINGS[key];
  const parsed = schema.safeParse(given);
  if (parsed.success) return { value: parsed.data, dropped: [] };
  if (schema instanceof z.ZodArray && Array.isArray(given)) {
    const read = readList(schema, given);
    return read.value.length === 0 && !isDeepStrictEqual(read.value, unset) ? null : read;
  }
  if (schema instanceof z.ZodRecord && typeof given === 'object' && given !== null && !Array.isArray(given))
    return readTable(schema, given);
  return null;
}

function readList(schema: z.ZodArray, given: unknown[]): ReadSetting & { value: unknown[] } {
  const kept: unknown[] = [];
  const dropped: string[] = [];
  for (const entry of given) {
    // The whole list is validated too: a valid entry may exceed its length.
    if (schema.safeParse([...kept, entry]).success) kept.push(entry);
    else dropped.push(shown(entry));
  }
  return { value: schema.parse(kept), dropped };
}

function readTable(schema: z.ZodRecord, given: object): ReadSetting | null {
  const kept: [string, unknown][] = [];
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    if (schema.safeParse({ [name]: value }).success) kept.push([name, value]);
    else dropped.push(shown(name));
  }
  return kept.length === 0 ? null : { value: schema.parse(Object.fromEntries(kept)), dropped };
}

/** `user:password@` of an address without a scheme, in text or JSON. */
const CREDENTIALS = /[^\s"/@:]*:(?:\\.|[^"\\])*@/g;

function shown(entry: unknown): string {
  const clean = withoutCredentials(entry);
  const text = typeof clean === 'string' ? clean : (JSON.stringify(clean) ?? '');
  return text.replace(CREDENTIALS, '').slice(0, SHOWN_CHARS);
}
