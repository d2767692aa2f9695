import {
  BACKEND_IDS,
  type BackendId,
  type Category,
  type CompletionRequest,
  isServing,
  type Reason,
} from '../../shared/domain';
import { lastUserText } from './categories';
import { LIGHT_CONTEXT, neededTokens } from './context';
import { type Pick, pickModel, pickStarter } from './model-pick';
import { isLightWork, needsHeavy, ROLES } from './roles';
import { isSmallTalk } from './small-talk';
import type { Candidate, RouteSnapshot } from './types';

/** What stands for the order of backends and for what was left out. */
export interface Choice {
  candidates: Candidate[];
  reasons: Reason[];
}

/** Capabilities that the request needs of a backend, and of a model where the server lists them. */
export function needsOf(request: CompletionRequest): {
  backend: ('tools' | 'images' | 'jsonSchema')[];
  model: string[];
} {
  const tools = (request.tools?.length ?? 0) > 0;
  const images = request.messages.some((message) => (message.images?.length ?? 0) > 0);
  const schema = request.format !== undefined && request.format !== null && request.format !== '';
  return {
    backend: [
      ...(tools ? (['tools'] as const) : []),
      ...(images ? (['images'] as const) : []),
      ...(schema ? (['jsonSchema'] as const) : []),
    ],
    model: [...(tools ? ['tools'] : []), ...(images ? ['vision'] : [])],
  };
}

/**
 * The order in which the strategy prefers the backends for a category, before any constraint. Under `strategy` the
 * light backend comes first for the categories allowed on it, under `mlx-first` for all.
 */
export function preferredOrder(
  category: Category,
  snapshot: RouteSnapshot,
): { order: BackendId[]; reasons: Reason[] } {
  const { settings } = snapshot;
  const allowed = settings.mlxCategories.includes(category);
  const lightFirst = allowed || settings.policy === 'mlx-first';
  const wanted = lightFirst ? 'light' : 'heavy';
  const order = [...BACKEND_IDS].sort((a, b) => rankOf(a, wanted) - rankOf(b, wanted));
  return { order, reasons: lightFirst && !allowed ? ['setting:policy'] : [] };
}

function rankOf(backend: BackendId, wanted: 'light' | 'heavy'): number {
  return ROLES[backend].work === wanted ? 0 : 1;
}

/** Why a backend cannot be used for this request at all; null when it can. */
export function whyNot(
  backend: BackendId,
  request: CompletionRequest,
  snapshot: RouteSnapshot,
): Reason | null {
  const { state, enabled, capabilities } = snapshot.backends[backend];
  if (!enabled) return ROLES[otherThan(backend)].alone;
  if (request.exclude?.includes(backend)) return `unavailable:${backend}-excluded`;
  if (state === 'absent') return `unavailable:${backend}-absent`;
  const short = snapshot.memory === 'critical' && !request.overruleMemory;
  if (ROLES[backend].work === 'light' && short) return 'memory:critical';
  const missing = needsOf(request).backend.find((need) => !capabilities[need]);
  return missing ? `unavailable:${backend}-${missing}` : null;
}

function otherThan(backend: BackendId): BackendId {
  return BACKEND_IDS.find((id) => id !== backend) ?? backend;
}

/** Does prompt and answer exceed what a model on a light backend holds? The starter gets the last message only. */
export function isTooLong(backend: BackendId, pick: Pick, request: CompletionRequest): boolean {
  if (ROLES[backend].work !== 'light' || pick.starter) return false;
  return neededTokens(request) > (pick.contextLength ?? LIGHT_CONTEXT);
}

/** Why memory can never hold this model; null when it can, when that is unknown, or when the user overrules. */
export function whyNeverFits(
  backend: BackendId,
  model: string,
  request: CompletionRequest,
  snapshot: RouteSnapshot,
): Reason | null {
  if (request.overruleMemory) return null;
  return snapshot.memoryRefuses?.(backend, model, heldTokens(backend, model, request, snapshot)) ?? null;
}

/** Tokens that the model's cache will hold at the most: whatever is asked for, its context is the end. */
export function heldTokens(
  backend: BackendId,
  name: string,
  request: CompletionRequest,
  { models }: RouteSnapshot,
): number {
  const model = models.find((known) => known.backend === backend && known.name === name);
  return Math.min(neededTokens(request), model?.contextLength ?? Number.POSITIVE_INFINITY);
}

/** The next best of a backend whose first choice memory cannot hold. */
function pickThatFits(
  backend: BackendId,
  category: Category,
  request: CompletionRequest,
  snapshot: RouteSnapshot,
  needs: readonly string[],
): Pick | null {
  const models = snapshot.models.filter(
    (model) => model.backend === backend && !whyNeverFits(backend, model.name, request, snapshot),
  );
  if (models.length === 0) return null;
  const pick = pickModel(backend, category, { ...snapshot, models }, needs);
  return pick && !isTooLong(backend, pick, request) ? pick : null;
}

/**
 * Candidates for a category on the backends in the given order.
 * `insisted` is a backend that the request names: on it a light model may try heavy work.
 */
export function candidatesFor(
  request: CompletionRequest,
  category: Category,
  order: readonly BackendId[],
  snapshot: RouteSnapshot,
  insisted: BackendId | null,
): Choice {
  const needs = needsOf(request);
  const plain = needs.backend.length === 0;
  const smallTalk = plain && isLightWork(category) && isSmallTalk(lastUserText(request));
  const choice: Choice = { candidates: [], reasons: [] };
  for (const backend of order) {
    const refusal = whyNot(backend, request, snapshot);
    if (refusal) {
      choice.reasons.push(refusal);
      continue;
    }
    const light = ROLES[backend].work === 'light' && snapshot.settings.mlxOnlyLight && needsHeavy(category);
    if (light) choice.reasons.push('setting:only-light');
    if (light && backend !== insisted) continue;
    const pick = pickModel(backend, category, snapshot, needs.model);
    const tooLong = pick !== null && isTooLong(backend, pick, request);
    const tooLarge = pick && whyNeverFits(backend, pick.name, request, snapshot);
    if (tooLong) choice.reasons.push('rule:long-context');
    else if (tooLarge) {
      choice.reasons.push(tooLarge);
      const other = pickThatFits(backend, category, request, snapshot, needs.model);
      if (other) choice.candidates.push(candidate(backend, other, []));
    } else if (pick) choice.candidates.push(candidate(backend, pick, []));
    const starter = smallTalk ? pickStarter(backend, snapshot) : null;
    if (starter && starter.name !== pick?.name) {
      choice.candidates.push(candidate(backend, starter, ['starter:small-talk']));
    } else if (!pick) choice.reasons.push(`unavailable:${backend}-no-model`);
  }
  return choice;
}

export function candidate(backend: BackendId, pick: Pick, reasons: Reason[]): Candidate {
  return { backend, model: pick.name, starter: pick.starter, waitForReady: false, reasons };
}

/**
 * Puts candidates whose backend serves now in front of those that must be waited for, and says so: what moved up
 * carries `fallback:<backend>-down`, and `breaker:open` where that is why.
 */
export function orderByState(
  candidates: readonly Candidate[],
  snapshot: RouteSnapshot,
  strict: boolean,
): Candidate[] {
  // Without fallback the first choice answers or nobody does.
  if (strict) return candidates.slice(0, 1);
  const up = candidates.filter(({ backend }) => isServing(snapshot.backends[backend].state));
  const down = candidates
    .filter((entry) => !up.includes(entry))
    .map((entry) => ({ ...entry, waitForReady: true }));
  const first = candidates[0];
  if (!first || up.length === 0 || up.includes(first)) return [...up, ...down];
  const why: Reason[] = [`fallback:${first.backend}-down`];
  if (snapshot.backends[first.backend].state === 'open') why.push('breaker:open');
  return [
    ...up.map((entry) =>
      entry.backend === first.backend ? entry : { ...entry, reasons: [...why, ...entry.reasons] },
    ),
    ...down,
  ];
}
