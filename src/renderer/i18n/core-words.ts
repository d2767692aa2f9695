import type { TFunction } from 'i18next';
import { en } from './en';

/**
 * The core says everything in English: a code and a sentence. Here the code becomes a sentence in the UI's language,
 * with the names, paths and commands of the core's own sentence carried over. What is not known here is shown as the
 * core says it.
 */

type Facts = Readonly<Record<string, unknown>>;

/** What a failed call, a failed answer or a failed download tells. */
export interface Trouble {
  code: string;
  message: string;
  details?: Facts;
}

const HOLE = /\{\{(\w+)\}\}/g;

/** The sentence of a key, or null where a fact that it names is missing. */
function filled(t: TFunction, group: 'errorFacts' | 'warnings' | 'cures', key: string, facts: Facts) {
  const words: Readonly<Record<string, string>> = en[group];
  const template = Object.hasOwn(words, key) ? words[key] : undefined;
  if (template === undefined) return null;
  const missing = [...template.matchAll(HOLE)].some(([, name = '']) => facts[name] == null);
  // The keys come from codes, so their types are not known to the compiler.
  return missing ? null : String(t(`${group}.${key}` as never, facts as never));
}

/** What is left of facts that may stand in a sentence; names of servers as the UI writes them. */
function plainFacts(details: Facts, t: TFunction): Facts {
  const facts = Object.entries(details).filter(([, value]) => ['string', 'number'].includes(typeof value));
  return Object.fromEntries(
    facts.map(([key, value]) => [
      key,
      key === 'backend' && (value === 'mlx' || value === 'ollama') ? t(`backend.${value}`) : value,
    ]),
  );
}

/** What is wrong with a setting, where it is more than a value in the file that does not parse. */
const SETTING_PROBLEMS = new Map<unknown, string>([
  ['value', 'settingValue'],
  ['above', 'settingAbove'],
  ['below', 'settingBelow'],
  ['folder', 'settingFolder'],
  ['contradicts', 'settingContradicts'],
]);

/** The sentence for what is told in several ways under one code, by what its details say of it. */
const CASES = new Map<string, (details: Facts) => string | null>(
  Object.entries({
    environment_invalid: ({ problem, entry }) =>
      problem === 'contradicts' ? 'variableContradicts' : entry == null ? 'variable' : 'variableEntry',
    setting_invalid: ({ problem, entry }) =>
      SETTING_PROBLEMS.get(problem) ?? (entry == null ? 'setting' : 'settingEntry'),
    settings_corrupt: ({ problem }) =>
      problem === 'kept' ? 'settingsKept' : problem === 'left' ? 'settingsLeft' : 'settingsUnreadable',
    read_only: () => 'settingsNewer',
    database_unreadable: () => 'databaseKept',
    database_newer: () => 'databaseNewer',
    model_incomplete: ({ reason }) =>
      reason === 'weights_missing'
        ? 'modelWeights'
        : reason === 'download_unfinished'
          ? 'modelDownload'
          : 'modelConfig',
    port_taken: ({ holder }) => (holder == null ? 'portMoved' : 'portHeld'),
    pull_failed: ({ problem }) =>
      problem === 'damaged' ? 'pullDamaged' : problem === 'network' ? 'pullNetwork' : null,
  } satisfies Record<string, (details: Facts) => string | null>),
);

/**
 * The sentence for an error or a warning, naming the model, path or variable that its details tell; without them the
 * sentence of its code alone.
 */
export function errorWords({ code, message, details = {} }: Trouble, t: TFunction): string {
  const exact = filled(t, 'errorFacts', code, plainFacts(details, t)) ?? caseWords(code, details, t);
  if (exact !== null) return exact;
  if (!Object.hasOwn(en.errors, code)) return message;
  return t(`errors.${code as keyof typeof en.errors}`);
}

function caseWords(code: string, details: Facts, t: TFunction): string | null {
  const key = CASES.get(code)?.(details) ?? null;
  if (key === null) return null;
  const { accepted, used } = details;
  return filled(t, 'warnings', key, {
    ...details,
    ...(accepted === undefined ? {} : { accepted: acceptedWords(details, t) }),
    ...(used === undefined
      ? {}
      : { used: t(used === 'lastGood' ? 'accepted.lastGood' : 'accepted.defaults') }),
  });
}

/** What a variable or a setting takes. Lists of words, numbers and addresses need no translation. */
function acceptedWords({ accepted, example, low, high, max }: Facts, t: TFunction): string {
  switch (accepted) {
    case 'whole':
    case 'number': {
      const kind = t(`accepted.${accepted}`);
      return high == null ? t('accepted.from', { kind, low }) : t('accepted.range', { kind, low, high });
    }
    case 'commas':
      return t('accepted.list', { example });
    case 'estimates':
      return t('accepted.json');
    case 'url':
      return t('accepted.url');
    case 'text':
      return t('accepted.text', { max });
    default:
      return String(example);
  }
}

/** Why a server is not there: the core's own sentence, and the command or address in it. */
export interface Absence {
  code: string;
  cure: string;
  details?: Facts | undefined;
}

/** Why a server is not there and what helps, by the code of its absence or of its set-up; a command stands between backticks. */
export function cureWords({ code, cure, details = {} }: Absence, t: TFunction): string {
  return filled(t, 'cures', `${code}_run`, details) ?? filled(t, 'cures', code, details) ?? cure;
}

const WAITING = /^Waiting: another Tandem \(process (?<pid>\d+)\)/;
const AT_WORK = /^(?:Fetching|Unpacking|Building|Installing(?: the system packages?)?) (?<what>.+)$/;

/** The technical line below a step of the set-up: a whole sentence in English, else the names in it alone. */
export function setupDetail(detail: string, language: string, t: TFunction): string {
  const waiting = WAITING.exec(detail)?.groups?.pid;
  if (waiting) return t('status.setupWaiting', { pid: waiting });
  if (language === 'en') return detail;
  const what = AT_WORK.exec(detail)?.groups?.what;
  if (what)
    return what.replace(/^(\d+) packages$/, (_, count) => t('status.setupPackages', { count: +count }));
  // A sentence without a name says no more than the step's own word.
  return /^(?:Looking for|Making|Checking)\b/.test(detail) ? '' : detail;
}
