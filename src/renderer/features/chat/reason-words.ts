import type { TFunction } from 'i18next';
import { type AnswerSource, BACKEND_IDS, BACKEND_STATES, type BackendId } from '../../../shared/domain';
import { en } from '../../i18n/en';

type Words = Record<string, string>;

const RULES: Words = {
  greeting: 'greeting',
  'small-talk': 'greeting',
  help: 'greeting',
  fast: 'fast',
  probe: 'fast',
  'short-fact': 'fast',
  'long-context': 'longContext',
  coding: 'coding',
  'code-request': 'coding',
  'code-block': 'coding',
  'code-text': 'coding',
  'code-documentation': 'coding',
  'stack-trace': 'coding',
  reasoning: 'reasoning',
  'word-problem': 'reasoning',
  logic: 'reasoning',
  maths: 'reasoning',
  analysis: 'reasoning',
  general: 'general',
  default: 'general',
  none: 'general',
  'data-question': 'dataQuestion',
  data_question: 'dataQuestion',
  'data-query': 'dataQuestion',
  'own-data': 'dataQuestion',
};

const SETTINGS: Words = {
  'only-light': 'onlyLight',
  policy: 'policy',
  'category-model': 'categoryModel',
  'ollama-only': 'ollamaOnly',
  'mlx-only': 'mlxOnly',
};

/** Causes by the machine word that ends a `fallback:` code. */
const FALLBACKS: Words = {
  exited: 'exited',
  crashed: 'exited',
  failed: 'exited',
  killed: 'exited',
  oom: 'exited',
  down: 'down',
  stopped: 'down',
  starting: 'down',
  backoff: 'down',
  open: 'down',
  absent: 'down',
  unavailable: 'down',
  hung: 'hung',
  timeout: 'timeout',
  busy: 'busy',
  draining: 'busy',
  echo: 'echo',
};

/** Splits `mlx-exited` into the server and what happened to it. */
export function splitBackend(rest: string): { backend: BackendId | null; cause: string } {
  const backend = BACKEND_IDS.find(
    (id) => rest === id || rest.startsWith(`${id}-`) || rest.startsWith(`${id}:`),
  );
  return backend ? { backend, cause: rest.slice(backend.length + 1) } : { backend: null, cause: rest };
}

function spaced(code: string): string {
  return code.replaceAll(/[-_:]/g, ' ');
}

/** A reason code as a sentence. A code this UI does not know is said with its own words, never hidden. */
export function reasonSentence(code: string, t: TFunction): string {
  const colon = code.indexOf(':');
  const kind = colon === -1 ? code : code.slice(0, colon);
  const rest = colon === -1 ? '' : code.slice(colon + 1);
  switch (kind) {
    case 'rule':
      return t(`why.rules.${(RULES[rest] ?? 'other') as keyof typeof en.why.rules}`, { name: spaced(rest) });
    case 'explicit':
      if (Object.hasOwn(en.why.explicit, rest))
        return t(`why.explicit.${rest as keyof typeof en.why.explicit}`);
      break;
    case 'setting':
      return t(`why.settings.${(SETTINGS[rest] ?? 'other') as keyof typeof en.why.settings}`, {
        name: spaced(rest),
      });
    case 'fallback':
      return fallbackSentence(rest, t);
    case 'breaker':
      return t('why.breaker');
    case 'memory':
      return t('why.memoryCritical');
    case 'unavailable':
      return unavailableSentence(rest, t);
    case 'starter':
      return t('why.starter');
    case 'no-capable-model':
      return t('why.noCapable');
    case 'continued':
      return t('why.continued');
    case 'echo':
      return t('why.echo');
  }
  return t('why.other', { name: spaced(code) });
}

function fallbackSentence(rest: string, t: TFunction): string {
  const { backend, cause } = splitBackend(rest);
  const word = FALLBACKS[cause];
  if (word === undefined || (backend === null && word !== 'echo')) {
    return t('why.fallback.other', { name: spaced(rest) });
  }
  const name = backend === null ? '' : t(`backend.${backend}`);
  return t(`why.fallback.${word as keyof typeof en.why.fallback}`, { backend: name, name: spaced(rest) });
}

function unavailableSentence(rest: string, t: TFunction): string {
  const { backend, cause } = splitBackend(rest);
  const state =
    BACKEND_STATES.find((candidate) => candidate === cause) ?? (backend && cause === '' ? 'stopped' : null);
  if (backend === null || state === null) return t('why.unavailableOther', { name: spaced(rest) });
  return t('why.unavailable', { backend: t(`backend.${backend}`), state: t(`state.${state}`) });
}

const CAUSES: Words = {
  exited: 'exited',
  crashed: 'crashed',
  failed: 'exited',
  backend_failed: 'disconnected',
  oom: 'outOfMemory',
  out_of_memory: 'outOfMemory',
  'out-of-memory': 'outOfMemory',
  hung: 'hung',
  timeout: 'timeout',
  disconnected: 'disconnected',
  killed: 'killed',
  restarted: 'restarted',
};

/** What happened to a server, as a clause without a subject; null when only its code is known. */
export function causeClause(code: string, t: TFunction): string | null {
  const { cause } = splitBackend(code);
  const word = CAUSES[cause];
  return word === undefined ? null : t(`causes.${word as keyof typeof en.causes}`);
}

/** The server that failed before the first word and was replaced, if that is what happened. */
export function rescuedFrom(
  reasons: readonly string[],
  source: AnswerSource | null,
): { from: BackendId; cause: string } | null {
  for (const reason of reasons) {
    if (!reason.startsWith('fallback:')) continue;
    const { backend, cause } = splitBackend(reason.slice('fallback:'.length));
    const told = FALLBACKS[cause] !== 'busy' && FALLBACKS[cause] !== 'echo';
    if (backend !== null && backend !== source && told) return { from: backend, cause };
  }
  return null;
}
