import type { TFunction } from 'i18next';
import { BACKEND_STATES, type BackendId, type BackendInstance } from '../../../shared/domain';
import { own } from '../../../shared/own';
import { backendName } from '../../i18n/backend-name';
import { en } from '../../i18n/en';

type Words = Record<string, string>;

const RULES: Words = {
  greeting: 'greeting',
  probe: 'probe',
  'short-fact': 'fact',
  'long-context': 'longContext',
  image: 'image',
  'code-request': 'codeRequest',
  'code-documentation': 'codeRequest',
  'code-block': 'codeText',
  'code-text': 'codeText',
  'stack-trace': 'trace',
  'word-problem': 'maths',
  maths: 'maths',
  logic: 'logic',
  analysis: 'analysis',
  'own-data': 'data',
  'data-query': 'data',
  default: 'general',
};

const SETTINGS: Words = {
  'only-light': 'onlyLight',
  policy: 'policy',
  'category-model': 'categoryModel',
};

const MEMORY: Words = {
  critical: 'critical',
  'working-set': 'workingSet',
  'buffer-limit': 'bufferLimit',
  smaller: 'smaller',
  evicted: 'evicted',
};

/** Causes by the machine word that ends a `fallback:` code. */
const FALLBACKS: Words = {
  exited: 'exited',
  failed: 'exited',
  incomplete: 'exited',
  'runner-died': 'exited',
  'load-died': 'exited',
  'load-timeout': 'timeout',
  killed: 'exited',
  'killed-by-os': 'outOfMemory',
  'out-of-memory': 'outOfMemory',
  'gpu-hang': 'hung',
  'parent-gone': 'exited',
  poison: 'poison',
  memory: 'memory',
  hung: 'hung',
  stalled: 'hung',
  'generation-dead': 'hung',
  timeout: 'timeout',
  'start-timeout': 'down',
  'start-failed': 'down',
  down: 'down',
  absent: 'down',
  'port-taken': 'down',
  'runtime-broken': 'down',
  'bad-arguments': 'down',
  'bad-model': 'model',
  'no-model': 'model',
  draining: 'busy',
  'queue-full': 'busy',
  echo: 'echo',
};

type Instances = readonly BackendInstance[];

/**
 * Splits `<backend>-<cause>`; both parts may contain dashes. An old answer may name a backend that has been removed: it
 * is split at the dash before a known cause, else at the first one.
 */
function splitBackend(rest: string, instances: Instances): { backend: BackendId | null; cause: string } {
  const known = instances.map(({ id }) => id).filter((id) => rest.startsWith(`${id}-`));
  const [longest] = known.sort((a, b) => b.length - a.length);
  if (longest !== undefined) return { backend: longest, cause: rest.slice(longest.length + 1) };
  for (let dash = rest.indexOf('-'); dash > 0; dash = rest.indexOf('-', dash + 1)) {
    const cause = rest.slice(dash + 1);
    if (isCause(cause)) return { backend: rest.slice(0, dash), cause };
  }
  const [backend = '', ...cause] = rest.split('-');
  return cause.length === 0 ? { backend: null, cause: rest } : { backend, cause: cause.join('-') };
}

function isCause(word: string): boolean {
  const known = own(FALLBACKS, word) ?? own(UNAVAILABLE, word) ?? causeWord(word);
  return (known ?? null) !== null || BACKEND_STATES.some((state) => state === word);
}

function spaced(code: string): string {
  return code.replaceAll(/[-_:]/g, ' ');
}

/** A reason code as a sentence. An unknown code is shown in its own words, never hidden. */
export function reasonSentence(code: string, t: TFunction, instances: Instances): string {
  const colon = code.indexOf(':');
  const kind = colon === -1 ? code : code.slice(0, colon);
  const rest = colon === -1 ? '' : code.slice(colon + 1);
  switch (kind) {
    case 'rule':
      return t(`why.rules.${(own(RULES, rest) ?? 'other') as keyof typeof en.why.rules}`, {
        name: spaced(rest),
      });
    case 'explicit':
      if (Object.hasOwn(en.why.explicit, rest))
        return t(`why.explicit.${rest as keyof typeof en.why.explicit}`);
      break;
    case 'setting':
      if (rest.endsWith('-only'))
        return t('why.settings.only', { backend: backendName(rest.slice(0, -'-only'.length), t) });
      return t(`why.settings.${(own(SETTINGS, rest) ?? 'other') as keyof typeof en.why.settings}`, {
        name: spaced(rest),
      });
    case 'fallback':
      return fallbackSentence(rest, t, instances);
    case 'breaker':
      return t('why.breaker');
    case 'memory':
      return t(`why.memory.${(own(MEMORY, rest) ?? 'other') as keyof typeof en.why.memory}`, {
        name: spaced(rest),
      });
    case 'context': {
      const count = Number(/^truncated-(\d+)$/.exec(rest)?.[1]);
      if (count > 0) return t('answer.dropped', { count });
      break;
    }
    case 'unavailable':
      return unavailableSentence(rest, t, instances);
    case 'starter':
      return t('why.starter');
    case 'small-model':
      return t('why.smallModel');
    case 'no-capable-model':
      return t('why.noCapable');
    case 'continued':
      return t('why.continued');
    case 'echo':
      return t('why.echo');
  }
  return t('why.other', { name: spaced(code) });
}

function fallbackSentence(rest: string, t: TFunction, instances: Instances): string {
  const { backend, cause } = splitBackend(rest, instances);
  const word = own(FALLBACKS, cause);
  if (rest === 'named-model') return t('why.fallback.namedModel');
  if (word === undefined || (backend === null && word !== 'echo')) {
    return t('why.fallback.other', { name: spaced(rest) });
  }
  const name = backend === null ? '' : backendName(backend, t);
  return t(`why.fallback.${word as keyof typeof en.why.fallback}`, { backend: name, name: spaced(rest) });
}

/** Why a server was left out, by the word that ends an `unavailable:` code. */
const UNAVAILABLE: Words = {
  excluded: 'excluded',
  absent: 'absent',
  'no-model': 'noModel',
  'only-small': 'onlySmall',
  language: 'language',
  tools: 'feature',
  images: 'feature',
  jsonSchema: 'feature',
};

function unavailableSentence(rest: string, t: TFunction, instances: Instances): string {
  const { backend, cause } = splitBackend(rest, instances);
  if (backend === null) return t('why.unavailable.other', { name: spaced(rest) });
  const word = (own(UNAVAILABLE, cause) ?? 'state') as keyof typeof en.why.unavailable;
  const state = BACKEND_STATES.find((candidate) => candidate === cause);
  return t(`why.unavailable.${word}`, {
    backend: backendName(backend, t),
    state: state ? t(`state.${state}`) : spaced(cause),
  });
}

/** Causes that are not exit causes, mapped to an exit cause with the same meaning. */
const CAUSES: Words = { failed: 'disconnected', incomplete: 'disconnected', memory: 'out_of_memory' };

function causeWord(cause: string): keyof typeof en.causes | null {
  const word = own(CAUSES, cause) ?? cause.replaceAll('-', '_');
  return Object.hasOwn(en.causes, word) ? (word as keyof typeof en.causes) : null;
}

/** Keys in `why.fallback` for failures of a server during a request. */
const FAILED = new Set(['exited', 'outOfMemory', 'hung', 'timeout', 'poison']);

/** What happened to a server, as a clause without a subject; null when only the code of the cause is known. */
export function causeClause(cause: string, t: TFunction): string | null {
  const word = causeWord(cause);
  return word === null ? null : t(`causes.${word}`);
}

/** The server that failed before the first word and was replaced, if any. */
export function rescuedFrom(
  reasons: readonly string[],
  source: string | null,
  instances: Instances,
): { from: BackendId; cause: string } | null {
  for (const reason of reasons) {
    if (!reason.startsWith('fallback:')) continue;
    const { backend, cause } = splitBackend(reason.slice('fallback:'.length), instances);
    // Only a server that failed during the request counts; a full or absent one is just a reason.
    const failed = FAILED.has(own(FALLBACKS, cause) ?? '');
    if (backend !== null && backend !== source && failed) return { from: backend, cause };
  }
  return null;
}

/** Why the server that the user chose did not answer, by the most specific reason; null when none is known. */
export function insteadOf(asked: BackendId, reasons: readonly string[]): string | null {
  const ofItself = [`unavailable:${asked}-`, `fallback:${asked}-`];
  const general = ['memory:', 'setting:', 'rule:long-context', 'fallback:named-model'];
  for (const start of [...ofItself, ...general]) {
    const found = reasons.find((reason) => reason.startsWith(start) && reason !== 'memory:evicted');
    if (found !== undefined) return found;
  }
  return null;
}

/** Did the memory guard keep a server from this request? */
export function wasSpared(reasons: readonly string[]): boolean {
  // An eviction before the request only delayed it.
  return reasons.some((reason) => reason.startsWith('memory:') && reason !== 'memory:evicted');
}
