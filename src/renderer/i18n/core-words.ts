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

/** Where the facts stand in the core's sentences; the first that fits gives the words. */
const FACTS: Readonly<Record<string, readonly [key: string, facts: RegExp][]>> = {
  environment_invalid: [['variable', /^(?<name>[A-Z]\w+) was not understood.* Accepted: (?<accepted>.+)\.$/]],
  setting_invalid: [['setting', /^(?<name>\w+) in the settings.* Accepted: (?<accepted>.+)\.$/]],
  settings_corrupt: [
    ['settingsKept', /kept as (?<path>.+); (?<used>[^;]+?)\. /],
    ['settingsLeft', /stays at (?<path>.+); (?<used>[^;]+?)\. /],
    ['settingsUnreadable', /^(?<path>.+) cannot be read \(.*\); (?<used>.+?), and/],
  ],
  read_only: [['settingsNewer', /^(?<path>.+) was written by a newer Tandem \(version (?<version>\d+)\)/]],
  database_unreadable: [['databaseKept', /kept as (?<path>.+?) and a new one/]],
  database_newer: [
    ['databaseNewer', /^(?<path>.+) was written by a newer Tandem \(version (?<version>\d+)\)/],
  ],
  model_incomplete: [
    ['modelWeights', /^(?<name>.+) cannot be used: its weights/],
    ['modelDownload', /^(?<name>.+) cannot be used: its download/],
    ['modelConfig', /^(?<name>.+) cannot be used: its config/],
  ],
  port_taken: [
    ['portHeld', /^Port (?<port>\d+) is taken by (?<holder>.+); the UI is at (?<url>\S+)/],
    ['portMoved', /^Port (?<port>\d+) is taken; the UI is at (?<url>\S+)/],
  ],
  pull_failed: [
    ['pullDamaged', /arrived damaged/],
    ['pullNetwork', /cannot be reached/],
  ],
};

/**
 * The sentence for an error or a warning, naming the model, path or variable where the core tells it: in `details`,
 * else in its own sentence.
 */
export function errorWords({ code, message, details = {} }: Trouble, t: TFunction): string {
  const exact = filled(t, 'errorFacts', code, plainFacts(details, t)) ?? foundWords(code, message, t);
  if (exact !== null) return exact;
  if (!Object.hasOwn(en.errors, code)) return message;
  return t(`errors.${code as keyof typeof en.errors}`);
}

function foundWords(code: string, message: string, t: TFunction): string | null {
  for (const [key, pattern] of FACTS[code] ?? []) {
    const found = pattern.exec(message);
    if (!found) continue;
    const facts: Record<string, string> = { ...found.groups };
    if (facts.accepted) facts.accepted = acceptedWords(facts.accepted, t);
    if (facts.used) facts.used = t(/last good/.test(facts.used) ? 'accepted.lastGood' : 'accepted.defaults');
    if (facts.holder) facts.holder = facts.holder.replace(/\(process (\d+)\)/, '($1)');
    const sentence = filled(t, 'warnings', key, facts);
    if (sentence !== null) return sentence;
  }
  return null;
}

/** What a variable takes. Lists of words, numbers and addresses need no translation, what joins them does. */
function acceptedWords(text: string, t: TFunction): string {
  const number = /^a (?<whole>whole )?number (?:from|above) (?<low>[\d.]+)(?:.*? to (?<high>[\d.]+))?/.exec(
    text,
  );
  if (number?.groups) {
    const { whole, low, high } = number.groups;
    const kind = t(whole ? 'accepted.whole' : 'accepted.number');
    return high ? t('accepted.range', { kind, low, high }) : t('accepted.from', { kind, low });
  }
  if (/^true, false/.test(text)) return 'true, false, 1, 0, yes, no, on, off';
  if (/^JSON such as/.test(text)) return t('accepted.json');
  const longest = /^text of at most (\d+)/.exec(text)?.[1];
  if (longest) return t('accepted.text', { max: longest });
  if (/^a http/.test(text)) return t('accepted.url');
  if (/^an address/.test(text)) return '127.0.0.1, ::1';
  const list = /^(?:host names|origins) such as (.+), separated by commas$/.exec(text);
  if (list?.[1]) return t('accepted.list', { example: list[1].replace(' or ', ', ') });
  return text;
}

/** The command that a cure names: between backticks, after "Run:", or in brackets for `pip`. */
const COMMANDS = [
  /`(?<command>[^`]+)`/,
  /\b[Rr]un: (?<command>[^()]+?)(?: \(or\b|\)|$)/,
  /\((?<command>\S.* -m pip install \S+)\)/,
];

/**
 * Why a server is not there and what helps, by the code of its absence or of its set-up; `cure` is the core's own
 * sentence. A command in it stands between backticks.
 */
export function cureWords({ code, message: cure }: Trouble, t: TFunction): string {
  const command = COMMANDS.map((pattern) => pattern.exec(cure)?.groups?.command).find(Boolean);
  const address = /https?:\/\/[^\s,;]+|(?<=answers at )[^\s,;]+/.exec(cure)?.[0];
  const facts = { command, address: address?.replace(/\.$/, '') };
  return filled(t, 'cures', `${code}_run`, facts) ?? filled(t, 'cures', code, facts) ?? cure;
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
