import type { Warning } from '../../shared/contract';
import type { Details } from '../../shared/status';

/** What a variable accepts: in words, and as facts for a sentence in the UI's language. */
export interface Accepted {
  words: string;
  details: Details;
}

/** The warning for an invalid variable, or for one invalid entry of its list. */
export function variableInvalid(name: string, { words, details }: Accepted, entry?: string): Warning {
  const what = entry === undefined ? 'and is ignored' : `in one entry, and "${entry}" is ignored`;
  return {
    code: 'environment_invalid',
    message: `${name} was not understood ${what}. Accepted: ${words}.`,
    details: { name, ...details, ...(entry === undefined ? {} : { entry }) },
  };
}
