import { type CompletionRequest, hasImage } from '../../shared/completion';
import {
  type BackendId,
  type BackendRole,
  type Category,
  canChat,
  isServing,
  type Reason,
} from '../../shared/domain';
import { lastUserText } from './categories';
import { contextOf, LIGHT_CONTEXT, leastTokens, neededTokens } from './context';
import { languageOf } from './language';
import { isSmallAlone, type Pick, pickModel, type Requirements } from './model-pick';
import { backendIn, needsHeavy } from './roles';
import type { Candidate, RouteSnapshot, TooLong } from './types';

/** The candidates, and the reasons for their order and for what was left out. */
export interface Choice {
  candidates: Candidate[];
  reasons: Reason[];
  /** The model that would answer if the request were shorter. */
  tooLong: TooLong | null;
}

/** What a request needs from a backend, and from a model as far as the server reports it. */
export interface Needs {
  backend: readonly ('tools' | 'images' | 'jsonSchema')[];
  model: Requirements;
}

export function needsOf(request: CompletionRequest): Needs {
  const tools = (request.tools?.length ?? 0) > 0;
  const images = request.messages.some(hasImage);
  const schema = request.format !== undefined;
  return {
    backend: [
      ...(tools ? (['tools'] as const) : []),
      ...(images ? (['images'] as const) : []),
      ...(schema ? (['jsonSchema'] as const) : []),
    ],
    model: {
      capabilities: [...(tools ? ['tools'] : []), ...(images ? ['vision'] : [])],
      language: () => languageOf(lastUserText(request)),
    },
  };
}

/**
 * The order in which the strategy prefers the backends for a category, before any constraint. With `strategy` the light
 * backend comes first for the categories allowed on it, with `mlx-first` for all.
 */
export function preferredOrder(
  category: Category,
  snapshot: RouteSnapshot,
): { order: BackendId[]; reasons: Reason[] } {
  const { settings } = snapshot;
  const allowed = settings.mlxCategories.includes(category);
  const lightFirst = allowed || settings.policy === 'mlx-first';
  const wanted = lightFirst ? 'light' : 'heavy';
  const order = [...snapshot.backends].sort(
    (a, b) => rankOfRole(a.role, wanted) - rankOfRole(b.role, wanted),
  );
  return { order: order.map(({ id }) => id), reasons: lightFirst && !allowed ? ['setting:policy'] : [] };
}

/** A cloud costs money and sends text away, so it is always last. */
function rankOfRole(role: BackendRole, wanted: 'light' | 'heavy'): number {
  if (role === 'cloud') return 2;
  return role === wanted ? 0 : 1;
}

/** Why a backend cannot be used for this request; null when it can. */
export function whyNot(
  backend: BackendId,
  request: CompletionRequest,
  snapshot: RouteSnapshot,
  needs: Needs,
): Reason | null {
  const { role, state, enabled, capabilities } = backendIn(snapshot, backend);
  if (!enabled) return `setting:${snapshot.settings.useBackends}-only`;
  if (request.exclude?.includes(backend)) return `unavailable:${backend}-excluded`;
  if (state === 'absent') return `unavailable:${backend}-absent`;
  const short = snapshot.memory === 'critical' && !request.overruleMemory;
  if (role === 'light' && short) return 'memory:critical';
  const missing = needs.backend.find((need) => !capabilities[need]);
  return missing ? `unavailable:${backend}-${missing}` : null;
}

/** Is all of a request wanted, or only what may not be left out? */
export type Extent = 'whole' | 'least';

/**
 * Why a request does not fit the context of a model: prompt and answer take more tokens, or the client asks for more.
 * Null when it fits, or the context is unknown.
 */
export function tooLongFor(
  backend: BackendId,
  { name: model, context: known }: { name: string; context: number | null },
  request: CompletionRequest,
  snapshot: RouteSnapshot,
  extent: Extent = 'whole',
): TooLong | null {
  const context = known ?? (backendIn(snapshot, backend).role === 'light' ? LIGHT_CONTEXT : null);
  if (context === null) return null;
  const needed = extent === 'whole' ? neededTokens(request) : leastTokens(request);
  const asked = request.contextTokens ?? 0;
  const tokens = Math.max(needed, asked);
  return tokens > context ? { backend, model, tokens, context, asked: needed <= context } : null;
}

/** Why this model can never fit in memory; null when it can, when that is unknown, or when the user overrules. */
export function whyNeverFits(
  backend: BackendId,
  model: string,
  request: CompletionRequest,
  snapshot: RouteSnapshot,
): Reason | null {
  if (request.overruleMemory) return null;
  return snapshot.memoryRefuses?.(backend, model, heldTokens(backend, model, request, snapshot)) ?? null;
}

/** Most tokens that the model's cache will hold: the request's need, limited by the model's context. */
export function heldTokens(
  backend: BackendId,
  name: string,
  request: CompletionRequest,
  { models }: RouteSnapshot,
): number {
  const model = models.find((known) => known.backend === backend && known.name === name);
  return Math.min(neededTokens(request), (model && contextOf(model)) ?? Number.POSITIVE_INFINITY);
}

/** The next best model of a backend whose first choice does not fit in memory, or has too small a context. */
function pickThatFits(
  backend: BackendId,
  category: Category,
  request: CompletionRequest,
  snapshot: RouteSnapshot,
  { model: needs }: Needs,
  extent: Extent,
): Pick | null {
  const fits = (name: string, context: number | null) =>
    !whyNeverFits(backend, name, request, snapshot) &&
    !tooLongFor(backend, { name, context }, request, snapshot, extent);
  const models = snapshot.models.filter(
    (model) => model.backend !== backend || fits(model.name, contextOf(model)),
  );
  if (!models.some((model) => model.backend === backend)) return null;
  return pickModel(backend, category, { ...snapshot, models }, needs);
}

/**
 * Candidates for a category on the backends in the given order.
 * `insisted` is a backend that the request names: there a light model may try heavy work. If only the small model is
 * installed, a light backend comes last for heavy work instead of being left out. Long work never goes to another light
 * model than the best one, but to a heavy backend, and there to any model whose context is long enough.
 */
export function candidatesFor(
  request: CompletionRequest,
  category: Category,
  order: readonly BackendId[],
  snapshot: RouteSnapshot,
  insisted: BackendId | null,
  extent: Extent = 'whole',
): Choice {
  const needs = needsOf(request);
  const tooLight = (backend: BackendId) =>
    backendIn(snapshot, backend).role === 'light' && snapshot.settings.mlxOnlyLight && needsHeavy(category);
  const kept = order.filter((backend) => !tooLight(backend) || backend === insisted);
  const later = order.filter((backend) => !kept.includes(backend));
  const choice: Choice = { candidates: [], reasons: [], tooLong: null };
  for (const backend of [...kept, ...later]) {
    const refusal = whyNot(backend, request, snapshot, needs);
    if (refusal) {
      choice.reasons.push(refusal);
      continue;
    }
    if (tooLight(backend)) choice.reasons.push('setting:only-light');
    if (later.includes(backend) && !isSmallAlone(snapshot)) continue;
    const pick = pickModel(backend, category, snapshot, needs.model);
    const tooLong = pick && tooLongFor(backend, pick, request, snapshot, extent);
    const tooLarge = pick && whyNeverFits(backend, pick.name, request, snapshot);
    if (tooLong) {
      choice.reasons.push('rule:long-context');
      choice.tooLong = tooLong;
    }
    if (!tooLong && tooLarge) choice.reasons.push(tooLarge);
    if (tooLong || tooLarge) {
      const mayPick = !tooLong || backendIn(snapshot, backend).role !== 'light';
      const other = mayPick && pickThatFits(backend, category, request, snapshot, needs, extent);
      if (other) choice.candidates.push(chosen(backend, other));
    } else if (pick) choice.candidates.push(chosen(backend, pick));
    else choice.reasons.push(`unavailable:${backend}-${whatLacks(backend, category, snapshot, needs.model)}`);
  }
  return choice;
}

/** Why a backend has no model for the work: none at all, only the small one, or none that knows the language. */
function whatLacks(backend: BackendId, category: Category, snapshot: RouteSnapshot, needs: Requirements) {
  const inAnyLanguage = { ...needs, language: () => null };
  if (pickModel(backend, category, snapshot, inAnyLanguage)) return 'language';
  const able = snapshot.models.filter((model) => model.backend === backend && canChat(model));
  return able.length > 0 && able.every(({ small }) => small) ? 'only-small' : 'no-model';
}

function chosen(backend: BackendId, pick: Pick): Candidate {
  return candidate(backend, pick.name, pick.small ? ['small-model'] : []);
}

export function candidate(backend: BackendId, model: string, reasons: Reason[]): Candidate {
  return { backend, model, waitForReady: false, reasons };
}

/**
 * Puts candidates whose backend serves now before those that must be waited for, and adds the reasons: a candidate that
 * moved up gets `fallback:<backend>-down`, and `breaker:open` if that is the cause.
 */
export function orderByState(
  candidates: readonly Candidate[],
  snapshot: RouteSnapshot,
  strict: boolean,
): Candidate[] {
  // In strict mode only the first choice may answer.
  if (strict) return candidates.slice(0, 1);
  const up = candidates.filter(({ backend }) => isServing(backendIn(snapshot, backend).state));
  const down = candidates
    .filter((entry) => !up.includes(entry))
    .map((entry) => ({ ...entry, waitForReady: true }));
  const first = candidates[0];
  if (!first || up.length === 0 || up.includes(first)) return [...up, ...down];
  const why: Reason[] = [`fallback:${first.backend}-down`];
  if (backendIn(snapshot, first.backend).state === 'open') why.push('breaker:open');
  return [
    ...up.map((entry) =>
      entry.backend === first.backend ? entry : { ...entry, reasons: [...why, ...entry.reasons] },
    ),
    ...down,
  ];
}
