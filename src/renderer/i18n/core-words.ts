import type { TFunction } from 'i18next';
import { backendName } from './backend-name';
import { en } from './en';

/**
 * The core reports everything in English: a code and a sentence. This file turns the code into a sentence in the UI's
 * language, with the names, paths and commands from `details`. An unknown code is shown in the core's own words.
 */

type Facts = Readonly<Record<string, unknown>>;

/** What a failed call, answer or download reports. */
export interface Trouble {
  code: string;
  message: string;
  details?: Facts;
}

const HOLE = /\{\{(\w+)\}\}/g;

/** The sentence of a key; null if one of its facts is missing. */
function filled(t: TFunction, group: 'errorFacts' | 'warnings' | 'cures', key: string, facts: Facts) {
  const words: Readonly<Record<string, string>> = en[group];
  const template = Object.hasOwn(words, key) ? words[key] : undefined;
  if (template === undefined) return null;
  const missing = [...template.matchAll(HOLE)].some(([, name = '']) => facts[name] == null);
  // The keys come from codes, so the compiler does not know their types.
  return missing ? null : String(t(`${group}.${key}` as never, facts as never));
}

/** The facts that can appear in a sentence; server names as the UI writes them. */
function plainFacts(details: Facts, t: TFunction): Facts {
  const facts = Object.entries(details).filter(([, value]) => ['string', 'number'].includes(typeof value));
  return Object.fromEntries(
    facts.map(([key, value]) => [
      key,
      key === 'backend' && typeof value === 'string' ? backendName(value, t) : value,
    ]),
  );
}

/** Sentence for an invalid setting by its problem, if it is more than a value in the file that does not parse. */
const SETTING_PROBLEMS = new Map<unknown, string>([
  ['value', 'settingValue'],
  ['above', 'settingAbove'],
  ['below', 'settingBelow'],
  ['folder', 'settingFolder'],
  ['contradicts', 'settingContradicts'],
  ['excludes', 'settingExcludes'],
  ['both_raised', 'settingBothRaised'],
]);

const VARIABLE_PROBLEMS = new Map<unknown, string>([
  ['contradicts', 'variableContradicts'],
  ['both_raised', 'variableBothRaised'],
]);

/** Sentence for a failed download by its problem; the others share one. */
const PULL_PROBLEMS = new Map<unknown, string>([
  ['damaged', 'pullDamaged'],
  ['network', 'pullNetwork'],
  ['certificate', 'pullCertificate'],
  ['certificate_file', 'pullCertificateFile'],
  ['no_permission', 'pullPermission'],
]);

/** Codes with several sentences: chooses one by the details. */
const CASES = new Map<string, (details: Facts) => string | null>(
  Object.entries({
    environment_invalid: ({ problem, entry }) =>
      VARIABLE_PROBLEMS.get(problem) ?? (entry == null ? 'variable' : 'variableEntry'),
    setting_invalid: ({ problem, entry }) =>
      SETTING_PROBLEMS.get(problem) ?? (entry == null ? 'setting' : 'settingEntry'),
    settings_corrupt: ({ problem }) =>
      problem === 'kept' ? 'settingsKept' : problem === 'left' ? 'settingsLeft' : 'settingsUnreadable',
    read_only: () => 'settingsNewer',
    kernel_panic: ({ changed, held }) =>
      held ? (changed ? 'panicBoth' : 'panicHeld') : changed ? 'panicChanged' : 'panicPlain',
    database_unreadable: () => 'databaseKept',
    database_newer: () => 'databaseNewer',
    model_incomplete: ({ reason }) =>
      reason === 'weights_missing'
        ? 'modelWeights'
        : reason === 'download_unfinished'
          ? 'modelDownload'
          : 'modelConfig',
    port_taken: ({ holder }) => (holder == null ? 'portMoved' : 'portHeld'),
    model_gated: ({ access }) => (access === 'own-key' ? 'gatedInOllama' : null),
    pull_failed: ({ problem }) => PULL_PROBLEMS.get(problem) ?? null,
  } satisfies Record<string, (details: Facts) => string | null>),
);

/**
 * The sentence for an error or a warning, with the model, path or variable from its details; without details the
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

/** What a variable or a setting accepts. Lists of words, numbers and addresses need no translation. */
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

/** Why a server is not available: the core's own sentence, and the command or address in it. */
export interface Absence {
  code: string;
  cure: string;
  details?: Facts | undefined;
}

/** Why a server is not available and what helps, by the code of its absence or set-up; commands are in backticks. */
export function cureWords({ code, cure, details = {} }: Absence, t: TFunction): string {
  return filled(t, 'cures', `${code}_run`, details) ?? filled(t, 'cures', code, details) ?? cure;
}

const WAITING = /^Waiting: another Tandem \(process (?<pid>\d+)\)/;
const AT_WORK = /^(?:Fetching|Unpacking|Building|Installing(?: the system packages?)?) (?<what>.+)$/;

/** The technical line below a set-up step: the whole sentence in English, else only the names in it. */
export function setupDetail(detail: string, language: string, t: TFunction): string {
  const waiting = WAITING.exec(detail)?.groups?.pid;
  if (waiting) return t('status.setupWaiting', { pid: waiting });
  if (language === 'en') return detail;
  const what = AT_WORK.exec(detail)?.groups?.what;
  if (what)
    return what.replace(/^(\d+) packages$/, (_, count) => t('status.setupPackages', { count: +count }));
  // A sentence without a name adds nothing to the step's own label.
  return /^(?:Looking for|Making|Checking)\b/.test(detail) ? '' : detail;
}
