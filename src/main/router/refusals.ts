import { type BackendId, type Category, isServing, type Reason } from '../../shared/domain';
import { downCodeOf, TandemError } from '../../shared/errors';
import { own } from '../../shared/own';
import type { Settings } from '../../shared/settings';
import { NO_REQUIREMENTS, pickModel, type Requirements } from './model-pick';
import { needsHeavy } from './roles';
import type { RouteSnapshot, TooLong } from './types';

/** Seconds after which to retry a backend that is starting. */
const STARTING_RETRY_S = 5;
const MEMORY_RETRY_S = 30;

/** No model that could answer is left: reports what is missing and what to do about it. */
export function noCandidate(
  category: Category,
  snapshot: RouteSnapshot,
  excluded: readonly BackendId[],
  needs = NO_REQUIREMENTS,
): TandemError {
  const usable = snapshot.backends.filter(({ id, enabled }) => enabled && !excluded.includes(id));
  const present = usable.filter(({ state }) => state !== 'absent');
  if (present.length === 0) {
    const names = usable.map(({ title }) => title).join(' or ') || 'another server';
    return new TandemError(
      'backend_absent',
      `No server is there to answer. Install ${names} (run the doctor: --check).`,
    );
  }
  const unknown = present.find(
    ({ id, state }) => !isServing(state) && !snapshot.models.some((model) => model.backend === id),
  );
  if (unknown) {
    return new TandemError(
      downCodeOf(unknown.id),
      `${unknown.title} is not up yet. Try again in ${STARTING_RETRY_S} s.`,
      { retryAfterS: STARTING_RETRY_S },
    );
  }
  const gone = usable.find((one) => !present.includes(one) && hasModelFor(one.id, category, snapshot, needs));
  if (gone) {
    const { id, title } = gone;
    return new TandemError(
      downCodeOf(id),
      `${title} does not answer, and this (${category}) needs one of its models. Start ${title} again, then retry.`,
      { retryAfterS: STARTING_RETRY_S },
    );
  }
  const wish = needsHeavy(category) ? 'a larger model' : 'a model';
  const heavy = usable.find(({ role }) => role === 'heavy');
  const installed = heavy !== undefined && present.includes(heavy);
  const settingUp = heavy?.settingUp;
  const how = installed
    ? 'Pull'
    : settingUp
      ? 'Ollama is still being set up; when it is there, pull'
      : 'Install or start Ollama, then pull';
  return new TandemError(
    'no_model',
    `No installed model can answer this (${category}). ${how} ${wish}, for example: ollama pull ${exampleFor(category)}.`,
    { details: { category, example: exampleFor(category) } },
  );
}

/**
 * Only the small model is installed, and it does not know the language. The message is in that language if Tandem has
 * it, else in the UI's.
 */
export function unknownLanguage(language: string | null, settings: Settings): TandemError {
  const spoken = language === 'ru' || settings.language === 'ru' ? 'ru' : 'en';
  return new TandemError('no_model', UNKNOWN_LANGUAGE[spoken], { details: { language } });
}

const UNKNOWN_LANGUAGE = {
  en: 'The only installed model is very small and knows English only. Write in English, or get a model that knows this language, for example: ollama pull qwen2.5:3b.',
  ru: 'Установлена только очень маленькая модель, а она знает лишь английский. Напишите по-английски или скачайте модель, которая знает ваш язык, например: ollama pull qwen2.5:3b.',
};

/** Memory keeps a backend that could answer from taking work: a decision that the user may overrule once. */
export function heldBack(reason: Reason, backend: BackendId): TandemError {
  return new TandemError('memory_critical', own(HELD_BACK, reason) ?? '', {
    ...(reason === 'memory:critical' ? { retryAfterS: MEMORY_RETRY_S } : {}),
    details: { reason, rule: reason.slice('memory:'.length).replace('-', '_'), backend },
  });
}

/** Does this reason say that memory blocked a backend or a model? */
export function isOfMemory(reason: Reason): boolean {
  return Object.hasOwn(HELD_BACK, reason);
}

const HELD_BACK: Readonly<Record<string, string>> = {
  'memory:critical':
    'Memory is nearly full, so MLX is held back on purpose. Close something large, try later, or try anyway.',
  'memory:working-set':
    'Not loaded on purpose: the model is larger than what the GPU may hold. Choose a smaller one, or try anyway.',
  'memory:smaller':
    'Not sent to MLX on purpose: it ran out of memory with this model and has come back smaller. Send less, choose a smaller model, or try anyway.',
  'memory:buffer-limit':
    'Not loaded on purpose: a part of the model is larger than one buffer of the GPU. Choose a smaller or more quantised one.',
};

/** Did this backend list a suitable model when it was last up? */
function hasModelFor(
  backend: BackendId,
  category: Category,
  snapshot: RouteSnapshot,
  needs: Requirements,
): boolean {
  const listed = snapshot.models.some((model) => model.backend === backend);
  return listed && pickModel(backend, category, snapshot, needs) !== null;
}

/** Prompt and answer exceed the context of the client's own model: the client must change them; a wait is no use. */
export function contextExceeded(tooLong: TooLong): TandemError {
  const { model, tokens, context } = tooLong;
  if (tooLong.asked) return askedTooMuch(tooLong);
  return new TandemError(
    'context_exceeded',
    `This takes about ${tokens} tokens with its answer, and the context of ${model} holds ${context}. Send less, lower the limit of the answer (num_predict, max_tokens), or name a model with a longer context.`,
    { details: { model, tokens, context } },
  );
}

/** The client's own `num_ctx` is above what the model always has: another length would load it again. */
function askedTooMuch({ backend, model, tokens, context }: TooLong): TandemError {
  return new TandemError(
    'context_exceeded',
    `num_ctx asks for ${tokens} tokens, and the context of ${model} is ${context} tokens here; it is constant, as each change loads the model again. Leave num_ctx out or lower it, or set a longer context for ${backend}/${model} in Settings (contextLengths).`,
    { details: { field: 'num_ctx', model, tokens, context } },
  );
}

/** The request is too long for the model that would answer, and there is no other model. */
export function noneIsLongEnough(tooLong: TooLong, category: Category): TandemError {
  if (tooLong.asked) return askedTooMuch(tooLong);
  const { model, tokens, context } = tooLong;
  const example = exampleFor(category);
  return new TandemError(
    'no_model',
    `This takes about ${tokens} tokens with its answer, and the context of ${model} holds ${context}; no other model can answer it. Send less, or get a model with a longer context, for example: ollama pull ${example}.`,
    { details: { category, example } },
  );
}

/** Uses Ollama's wording, which its clients recognise. */
export function modelNotFound(name: string): TandemError {
  return new TandemError('model_not_found', `model '${name}' not found`, { details: { model: name } });
}

export function remoteModel(name: string): TandemError {
  return new TandemError(
    'unsupported',
    `Model ${name} runs on somebody else's machine, and nothing leaves this one unasked. Choose a local model.`,
    { details: { model: name } },
  );
}

export function tooHeavyForLight(name: string): TandemError {
  return new TandemError(
    'no_model',
    `Model ${name} is too large for MLX while only light models are allowed there. Switch that setting off, or pull it with Ollama.`,
    { details: { model: name } },
  );
}

function exampleFor(category: Category): string {
  if (category === 'coding') return 'qwen2.5-coder:7b';
  return needsHeavy(category) ? 'deepseek-r1:14b' : 'qwen2.5:3b';
}
