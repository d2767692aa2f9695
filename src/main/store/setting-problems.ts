import type { Warning } from '../../shared/contract';
import { TandemError } from '../../shared/errors';
import { EXCLUSIVE_SETTINGS, ORDERED_SETTINGS, SETTINGS, type SettingKey } from '../../shared/settings';
import { acceptedDetails, acceptedValues } from './environment';
import type { InvalidSetting } from './resolve-settings';

/** Describes invalid values of settings: as errors of a change, and as warnings about a stored value. */

/** The warning for a value in the file or the environment that is ignored. */
export function notUsed({ key, source, entry, against }: InvalidSetting): Warning {
  const name = source === 'environment' ? (SETTINGS[key].env ?? key) : key;
  const where = source === 'environment' ? name : `${name} in the settings file`;
  if (against !== undefined) {
    const other = source === 'environment' ? (SETTINGS[against].env ?? against) : against;
    const code = source === 'environment' ? 'environment_invalid' : 'setting_invalid';
    if (relation(key) === 'excludes') {
      return {
        code,
        message: `${where} contradicts ${other} and is ignored. Only one of them may be above its default.`,
        details: { name, problem: 'both_raised', other },
      };
    }
    const [first, last] = relation(key) === 'above' ? [name, other] : [other, name];
    return {
      code,
      message: `${where} contradicts ${other} and is ignored. Accepted: ${first} not above ${last}.`,
      details: { name, problem: 'contradicts', first, last },
    };
  }
  const what =
    entry === undefined
      ? 'is not valid, the default holds'
      : `has an entry that is not valid, "${entry}"; the others hold`;
  return {
    code: 'setting_invalid',
    message: `${where} ${what}. Accepted: ${acceptedValues(key)}.`,
    details: { name, ...(entry === undefined ? {} : { entry }), ...acceptedDetails(key) },
  };
}

/** The schema rejects the value. */
export function invalid(key: SettingKey): TandemError {
  return new TandemError(
    'setting_invalid',
    `${key} does not take this value. Accepted: ${acceptedValues(key)}.`,
    { details: { key, problem: 'value', ...acceptedDetails(key) } },
  );
}

/** The value contradicts another setting's value. */
export function contradicts(key: SettingKey, other: SettingKey, limit: unknown): TandemError {
  const problem = relation(key);
  const rule =
    problem === 'excludes'
      ? `stay at ${SETTINGS[key].default} while ${other}`
      : `not be ${problem} ${other}, which`;
  return new TandemError(
    'setting_invalid',
    `${key} must ${rule} is ${limit}. Change that one first, or choose another value.`,
    { details: { key, problem, other, limit: Number(limit) } },
  );
}

export function noFolder(key: SettingKey, path: string): TandemError {
  return new TandemError(
    'setting_invalid',
    `${path} is no folder that Tandem can read. Give the full path of a folder that is there.`,
    { details: { key, problem: 'folder', path } },
  );
}

export function fromEnvironment(key: SettingKey): TandemError {
  const name = SETTINGS[key].env;
  return new TandemError(
    'setting_from_environment',
    `${key} is held by the environment variable ${name}. Unset it and restart Tandem to change it here.`,
    { details: { key, name } },
  );
}

export function readOnly(file: string): TandemError {
  return new TandemError(
    'read_only',
    `${file} is not changed by this Tandem; the warning at start says why and the cure.`,
    { details: { file } },
  );
}

/** Why a value of this setting can contradict another one's: above it, below it, or both above their defaults. */
function relation(key: SettingKey): 'above' | 'below' | 'excludes' {
  if (EXCLUSIVE_SETTINGS.some((pair) => pair.some((each) => each === key))) return 'excludes';
  return ORDERED_SETTINGS.some(([low]) => low === key) ? 'above' : 'below';
}
