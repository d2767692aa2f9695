import type { CompletionRequest } from '../../shared/completion';
import { type BackendId, type Category, isServing, type ModelInfo, type Reason } from '../../shared/domain';
import type { TandemError } from '../../shared/errors';
import { isSameModel, withName } from '../models/model-names';
import {
  candidate,
  candidatesFor,
  type Needs,
  needsOf,
  orderByState,
  preferredOrder,
  tooLongFor,
  whyNeverFits,
  whyNot,
} from './candidates';
import { isNamedBySetting, isSmallAlone } from './model-pick';
import {
  contextExceeded,
  heldBack,
  isOfMemory,
  modelNotFound,
  noCandidate,
  noneIsLongEnough,
  remoteModel,
  tooHeavyForLight,
  unknownLanguage,
} from './refusals';
import { backendIn } from './roles';
import type { Candidate, CategoryDecision, Route, RouteSnapshot, TooLong } from './types';

/**
 * Who may answer a request, in which order, and why: a pure function of the decision about its category, the request
 * and the snapshot. Numbered as in README.md:
 * 1. the category is decided; 2. a named model; 3. a named backend; 4. the strategy's order; 5. constraints and the
 * best model per backend; 6. the state of the backends.
 */
export function route(
  decision: CategoryDecision,
  request: CompletionRequest,
  snapshot: RouteSnapshot,
): Route {
  const { category, evidence } = decision;
  const { model } = request;
  // 2. A named model.
  if (model.kind === 'named') return routeNamed(request, model, decision, snapshot);
  // 3. A named backend comes first; 4. else the strategy's order.
  const preferred = preferredOrder(category, snapshot);
  const named = model.kind === 'backend' ? model.backend : null;
  const insisted = snapshot.backends.find(({ id }) => id === named)?.id ?? null;
  const order = insisted ? [insisted, ...preferred.order.filter((id) => id !== insisted)] : preferred.order;
  const reasons: Reason[] = [
    ...evidence,
    ...(insisted ? (['explicit:backend'] as const) : preferred.reasons),
    // An old message or chat may name a backend that has been removed from the settings.
    ...(named && !insisted ? ([`unavailable:${named}-absent`] as const) : []),
  ];
  const tried = named && request.strict ? order.filter((id) => id === named) : order;
  // 5. Constraints remove backends; each remaining one gets its best model.
  const choice = candidatesFor(request, category, tried, snapshot, insisted);
  // 6. Who serves now comes first.
  return conclude(request, decision, orderByState(choice.candidates, snapshot, request.strict), snapshot, {
    reasons: [...reasons, ...choice.reasons],
    echoAllowed: false,
    tooLong: choice.tooLong,
  });
}

/** The named model, then the same weights on the other backend, then the category's model. */
function routeNamed(
  request: CompletionRequest,
  choice: { name: string; backend?: BackendId },
  decision: CategoryDecision,
  snapshot: RouteSnapshot,
): Route {
  const { category, evidence } = decision;
  const asked = withName(snapshot.models, choice.name);
  const named = asked.filter((model) => choice.backend === undefined || model.backend === choice.backend);
  const reasons: Reason[] = ['explicit:model', ...evidence];
  const [known] = named;
  if (!known) return refuse(category, unknownModel(choice, snapshot), reasons);
  const local = named.filter((model) => !model.remote);
  if (local.length === 0) return refuse(category, remoteModel(choice.name), reasons);

  const { order } = preferredOrder(category, snapshot);
  const byOrder = (a: ModelInfo, b: ModelInfo) => order.indexOf(a.backend) - order.indexOf(b.backend);
  const twins = snapshot.models.filter(
    (model) => !model.remote && !local.includes(model) && isSameModel(model.name, known.name),
  );
  const wanted = [...local.sort(byOrder), ...(request.strict ? [] : twins.sort(byOrder))];
  const needs = needsOf(request);
  const allowed: Candidate[] = [];
  let tooLong: TooLong | null = null;
  for (const model of wanted) {
    const refusal = whyNotModel(model, request, snapshot, needs);
    if (refusal === null) {
      allowed.push(candidate(model.backend, model.name, []));
      continue;
    }
    reasons.push(refusal);
    if (refusal === 'rule:long-context') tooLong ??= tooLongFor(model.backend, model, request, snapshot);
  }
  if (request.strict && allowed.length === 0 && reasons.includes('setting:only-light')) {
    return refuse(category, tooHeavyForLight(choice.name), reasons);
  }
  const named1st = orderByState(allowed, snapshot, request.strict);
  const rest = request.strict ? [] : categoryRest(request, category, named1st, snapshot);
  return conclude(request, decision, [...named1st, ...rest], snapshot, {
    reasons,
    echoAllowed: true,
    tooLong,
  });
}

/** Fallback candidates for a named model; only those that serve now, or that no other candidate precedes. */
function categoryRest(
  request: CompletionRequest,
  category: Category,
  before: readonly Candidate[],
  snapshot: RouteSnapshot,
): Candidate[] {
  const { order } = preferredOrder(category, snapshot);
  const { candidates } = candidatesFor(request, category, order, snapshot, null);
  return orderByState(candidates, snapshot, false)
    .filter((entry) => !before.some((one) => one.backend === entry.backend && one.model === entry.model))
    .map((entry) => ({ ...entry, reasons: [...entry.reasons, 'fallback:named-model'] }));
}

function whyNotModel(
  model: ModelInfo,
  request: CompletionRequest,
  snapshot: RouteSnapshot,
  needs: Needs,
): Reason | null {
  const refusal = whyNot(model.backend, request, snapshot, needs);
  if (refusal) return refusal;
  const light = backendIn(snapshot, model.backend).role === 'light' && snapshot.settings.mlxOnlyLight;
  if (light && model.weight !== 'light' && !isNamedBySetting(model, snapshot)) return 'setting:only-light';
  if (tooLongFor(model.backend, model, request, snapshot)) return 'rule:long-context';
  return whyNeverFits(model.backend, model.name, request, snapshot);
}

/** No backend lists the name: unknown, unless a server that is down now might have it. */
function unknownModel(choice: { name: string; backend?: BackendId }, snapshot: RouteSnapshot): TandemError {
  const asked = snapshot.backends.filter(({ id }) => choice.backend === undefined || choice.backend === id);
  const silent = asked.some(({ id, state, enabled }) => {
    const listed = snapshot.models.some((model) => model.backend === id);
    return enabled && state !== 'absent' && !isServing(state) && !listed;
  });
  return silent ? noCandidate('general', snapshot, []) : modelNotFound(choice.name);
}

function conclude(
  request: CompletionRequest,
  decision: CategoryDecision,
  candidates: Candidate[],
  snapshot: RouteSnapshot,
  why: { reasons: Reason[]; echoAllowed: boolean; tooLong: TooLong | null },
): Route {
  const { category } = decision;
  const reasons = [...new Set(why.reasons)];
  if (candidates.length === 0) {
    const error =
      refusedByMemory(decision, request, snapshot, reasons) ??
      noModel(request, category, snapshot, { reasons, tooLong: why.tooLong });
    return refuse(category, error, error.code === 'no_model' ? [...reasons, 'no-capable-model'] : reasons);
  }
  return { kind: 'candidates', category, candidates, reasons, echoAllowed: why.echoAllowed };
}

/** Nothing installed can do it: because of the work, its length, or only its language. */
function noModel(
  request: CompletionRequest,
  category: Category,
  snapshot: RouteSnapshot,
  { reasons, tooLong }: { reasons: readonly Reason[]; tooLong: TooLong | null },
): TandemError {
  // Only a client that insists on the model, or on its server, gets the error that says waiting does not help.
  if (tooLong && request.strict && request.model.kind !== 'auto') return contextExceeded(tooLong);
  const needs = needsOf(request).model;
  const error = noCandidate(category, snapshot, request.exclude ?? [], needs);
  if (tooLong && error.code === 'no_model') {
    const isNamed = request.model.kind === 'named';
    return isNamed ? contextExceeded(tooLong) : noneIsLongEnough(tooLong, category);
  }
  const ofLanguage = snapshot.backends.some(({ id }) => reasons.includes(`unavailable:${id}-language`));
  if (error.code !== 'no_model' || !ofLanguage || !isSmallAlone(snapshot)) return error;
  return unknownLanguage(needs.language(), snapshot.settings);
}

/** Only memory prevents an answer: there would be a candidate if the user overruled it. */
function refusedByMemory(
  decision: CategoryDecision,
  request: CompletionRequest,
  snapshot: RouteSnapshot,
  reasons: readonly Reason[],
): TandemError | null {
  const reason = reasons.find(isOfMemory);
  if (!reason) return null;
  const overruled = route(decision, { ...request, overruleMemory: true }, snapshot);
  const first = overruled.kind === 'candidates' ? overruled.candidates[0] : undefined;
  return first ? heldBack(reason, first.backend) : null;
}

function refuse(category: Category, error: TandemError, reasons: Reason[]): Route {
  return { kind: 'refused', category, error, reasons };
}
