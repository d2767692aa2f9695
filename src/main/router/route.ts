import type { CompletionRequest } from '../../shared/completion';
import { type BackendId, type Category, isServing, type ModelInfo, type Reason } from '../../shared/domain';
import type { TandemError } from '../../shared/errors';
import { isSameModel, withName } from '../models/model-names';
import {
  type Choice,
  candidate,
  candidatesFor,
  type Job,
  needsOf,
  orderByState,
  preferredOrder,
  tooLongFor,
  whyNeverFits,
  whyNot,
} from './candidates';
import { contextOf } from './context';
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
 * best model per backend; 6. the state of the backends. If no context holds the whole request, and its oldest turns may
 * be left out, what holds the rest of it answers.
 */
export function route(
  decision: CategoryDecision,
  request: CompletionRequest,
  snapshot: RouteSnapshot,
): Route {
  const job = { ...decision, request, snapshot, needs: needsOf(request) };
  const whole = routeExtent({ ...job, extent: 'whole' });
  if (whole.kind !== 'refused' || !whole.tooLong || !request.mayLeaveOut) return whole;
  return routeExtent({ ...job, extent: 'least' });
}

function routeExtent(job: Job): Route {
  const { request, snapshot } = job;
  const { model } = request;
  const preferred = preferredOrder(job.category, snapshot);
  // 2. A named model.
  if (model.kind === 'named') return routeNamed(model, preferred.order, job);
  // 3. A named backend comes first; 4. else the strategy's order.
  const named = model.kind === 'backend' ? model.backend : null;
  const insisted = snapshot.backends.find(({ id }) => id === named)?.id ?? null;
  const order = insisted ? [insisted, ...preferred.order.filter((id) => id !== insisted)] : preferred.order;
  const reasons: Reason[] = [
    ...job.evidence,
    ...(insisted ? (['explicit:backend'] as const) : preferred.reasons),
    // An old message or chat may name a backend that has been removed from the settings.
    ...(named && !insisted ? ([`unavailable:${named}-absent`] as const) : []),
  ];
  const tried = named && request.strict ? order.filter((id) => id === named) : order;
  // 5. Constraints remove backends; each remaining one gets its best model.
  const choice = candidatesFor(job, tried, insisted);
  // 6. Who serves now comes first.
  return conclude(job, {
    candidates: orderByState(choice.candidates, job),
    reasons: [...reasons, ...choice.reasons],
    tooLong: choice.tooLong,
  });
}

/** The named model, then the same weights on the other backend, then the category's model. */
function routeNamed(
  choice: { name: string; backend?: BackendId },
  order: readonly BackendId[],
  job: Job,
): Route {
  const { request, category, snapshot } = job;
  const asked = withName(snapshot.models, choice.name);
  const named = asked.filter((model) => choice.backend === undefined || model.backend === choice.backend);
  const reasons: Reason[] = ['explicit:model', ...job.evidence];
  const [known] = named;
  if (!known) return refuse(category, unknownModel(choice, snapshot), reasons);
  const local = named.filter((model) => !model.remote);
  if (local.length === 0) return refuse(category, remoteModel(choice.name), reasons);

  const byOrder = (a: ModelInfo, b: ModelInfo) => order.indexOf(a.backend) - order.indexOf(b.backend);
  const twins = snapshot.models.filter(
    (model) => !model.remote && !local.includes(model) && isSameModel(model.name, known.name),
  );
  const wanted = [...local.sort(byOrder), ...(request.strict ? [] : twins.sort(byOrder))];
  const allowed: Candidate[] = [];
  let tooLong: TooLong | null = null;
  for (const model of wanted) {
    const refusal = whyNotModel(model, job);
    if (refusal === null) {
      allowed.push(candidate(model.backend, model.name, []));
      continue;
    }
    reasons.push(refusal);
    if (refusal === 'rule:long-context') tooLong ??= tooLongModel(model, job);
  }
  if (request.strict && allowed.length === 0 && reasons.includes('setting:only-light')) {
    return refuse(category, tooHeavyForLight(choice.name), reasons);
  }
  const named1st = orderByState(allowed, job);
  // Who names a model and a context for it, or allows to leave out the oldest turns, does not want another model.
  const insists = tooLong?.asked || (job.extent === 'whole' && request.mayLeaveOut);
  if (tooLong && insists && allowed.length === 0)
    return refuse(category, contextExceeded(tooLong), reasons, tooLong);
  const rest = request.strict ? [] : categoryRest(named1st, order, { ...job, extent: 'whole' });
  return conclude(job, { candidates: [...named1st, ...rest], reasons, tooLong });
}

/** Fallback candidates for a named model; only those that serve now, or that no other candidate precedes. */
function categoryRest(before: readonly Candidate[], order: readonly BackendId[], job: Job): Candidate[] {
  return orderByState(candidatesFor(job, order, null).candidates, job)
    .filter((entry) => !before.some((one) => one.backend === entry.backend && one.model === entry.model))
    .map((entry) => ({ ...entry, reasons: [...entry.reasons, 'fallback:named-model'] }));
}

function whyNotModel(model: ModelInfo, job: Job): Reason | null {
  const { snapshot } = job;
  const refusal = whyNot(model.backend, job);
  if (refusal) return refusal;
  const light = backendIn(snapshot, model.backend).role === 'light' && snapshot.settings.mlxOnlyLight;
  if (light && model.weight !== 'light' && !isNamedBySetting(model, snapshot)) return 'setting:only-light';
  if (tooLongModel(model, job)) return 'rule:long-context';
  return whyNeverFits(model.backend, model.name, job);
}

function tooLongModel(model: ModelInfo, job: Job) {
  return tooLongFor(model.backend, { name: model.name, context: contextOf(model) }, job);
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

/** The route over these candidates; without any, the refusal. A named model may return only the prompt. */
function conclude(job: Job, { candidates, reasons: why, tooLong }: Choice): Route {
  const { request, category } = job;
  const reasons = [...new Set(why)];
  if (candidates.length === 0) {
    const error = refusedByMemory(job, reasons) ?? noModel(job, reasons, tooLong);
    const all: Reason[] = error.code === 'no_model' ? [...reasons, 'no-capable-model'] : reasons;
    return refuse(category, error, all, tooLong);
  }
  return {
    kind: 'candidates',
    category,
    candidates,
    reasons,
    echoAllowed: request.model.kind === 'named',
  };
}

/** Nothing installed can do it: because of the work, its length, or only its language. */
function noModel(
  { request, category, snapshot, needs }: Job,
  reasons: readonly Reason[],
  tooLong: TooLong | null,
): TandemError {
  // Only a client that insists on the model, or on its server, gets the error that says waiting does not help.
  if (tooLong && request.strict && request.model.kind !== 'auto') return contextExceeded(tooLong);
  const error = noCandidate(category, snapshot, request.exclude ?? [], needs.model);
  if (tooLong && error.code === 'no_model') {
    const isNamed = request.model.kind === 'named';
    return isNamed ? contextExceeded(tooLong) : noneIsLongEnough(tooLong, category);
  }
  const ofLanguage = snapshot.backends.some(({ id }) => reasons.includes(`unavailable:${id}-language`));
  if (error.code !== 'no_model' || !ofLanguage || !isSmallAlone(snapshot)) return error;
  return unknownLanguage(needs.model.language(), snapshot.settings);
}

/** Only memory prevents an answer: there would be a candidate if the user overruled it. */
function refusedByMemory(job: Job, reasons: readonly Reason[]): TandemError | null {
  const reason = reasons.find(isOfMemory);
  if (!reason) return null;
  const overruled = route(job, { ...job.request, overruleMemory: true }, job.snapshot);
  const first = overruled.kind === 'candidates' ? overruled.candidates[0] : undefined;
  return first ? heldBack(reason, first.backend) : null;
}

function refuse(
  category: Category,
  error: TandemError,
  reasons: Reason[],
  tooLong: TooLong | null = null,
): Route {
  return { kind: 'refused', category, error, reasons, tooLong };
}
