import type { BackendId } from '../../shared/domain';
import { kvBytes } from './kv-cache';
import { type Account, gpuBytes, gpuBytesOfAll, promisedBytes, spareBytes, usedNow } from './ledger';
import type { ModelNeeds } from './model-needs';
import { MEMORY_ROLES } from './roles';

/** Why memory is asked for. */
export type Purpose =
  /** Somebody waits for an answer. */
  | 'request'
  /** A model is to be ready before anybody asks. */
  | 'preload'
  /** A server that died of memory comes back with its model. */
  | 'restart';

/** What wants memory. */
export interface MemoryWish {
  backend: BackendId;
  model: string;
  purpose: Purpose;
  needs: ModelNeeds;
  /** Prompt and answer together. */
  tokens: number;
  /** Seconds that it is expected to take; null = unknown. */
  expectedS: number | null;
  /** Another server or model stands ready for the work. */
  mayMove: boolean;
  /** The user said "try anyway". */
  overruled: boolean;
}

export interface Evicted {
  backend: BackendId;
  model: string;
}

/** Rules that refuse, as machine words. */
export type RefusalRule = 'critical' | 'working_set' | 'buffer_limit' | 'preload';
/** `busy`: another model answers or is being loaded; `protect`: a server that dies of memory is answering. */
export type WaitRule = 'busy' | 'protect' | 'critical' | 'working_set';

/** Bytes that a decision was about; null = unknown. */
interface Sum {
  neededBytes: number | null;
  freeBytes: number | null;
}

export type Decision =
  | { kind: 'admit'; promiseBytes: number | null }
  | ({ kind: 'wait'; rule: WaitRule } & Sum)
  /** Unload these, then ask again. */
  | ({ kind: 'evict'; models: Evicted[]; rule: 'critical' | 'working_set' } & Sum)
  | ({ kind: 'refuse'; rule: RefusalRule } & Sum);

/** What the guard knows of the moment. */
export interface GuardView {
  account: Account;
  /** Memory has been critical and has not really come back (`pressure-latch.ts`). */
  critical: boolean;
  /** `Clock.now` in ms, as `lastUsedAt` of models. */
  now: number;
}

/** Never evicted within this time after its last answer. */
export const KEEP_AFTER_USE_MS = 30_000;
/** Above this nothing is preloaded; a preload ends when memory gets above the second. */
export const PRELOAD_SKIP_SHARE = 0.7;
export const PRELOAD_STOP_SHARE = 0.75;
/** Sizes are told and estimated no better than this. */
const SIZE_ERROR = 0.1;
/** Activations of one prefill step, as a share of the weights, and at least so much. */
const WORKSPACE_SHARE = 0.04;
const WORKSPACE_BYTES = 200_000_000;
/**
 * For a cache of unknown shape the worst of the usual models, in which every head keeps its own: per token this share of
 * the weights (Phi-3.5-mini in 4 bits: 393,216 of 2.15 GB), at most so many bytes (Llama-2-13B).
 */
const UNKNOWN_KV_SHARE = 1.83e-4;
const UNKNOWN_KV_BYTES = 819_200;
/** Kept free below the critical limit for what other programs take between two samples. */
const RESERVE_SHARE = 0.02;
/** A rise of memory is taken to go on for so long: until a sample is there and some seconds more. */
const RISE_AHEAD_S = 4;
/** A load takes seconds in which nothing can be taken back: so much of it is kept free beside it. */
const LOAD_MARGIN = 0.4;
/** Work that takes longer than this meets more of what other programs do … */
const SHORT_WORK_S = 20;
/** … so that this share of memory per second more is kept free for it, up to a ceiling. */
const EXPOSURE_SHARE_PER_S = 0.002;
const EXPOSURE_CEILING = 0.08;

/**
 * May this work have memory now? Pure. The rules in their order are the table in README.md; the first that applies
 * decides.
 */
export function decide(wish: MemoryWish, view: GuardView): Decision {
  const role = MEMORY_ROLES[wish.backend];
  const loaded = isLoaded(wish, view.account);
  const coming = isComing(wish, view.account);
  const needed = neededBytes(wish, view.account, { loaded, coming });
  if (role.loadsAlone && collides(wish, view.account, loaded)) return wait('busy', needed, null);
  if (wish.overruled) return { kind: 'admit', promiseBytes: needed };
  if (!role.dies) return decideSteady(wish, view, loaded || coming, needed);
  const standing = standingRefusal(wish, view.account);
  if (standing && !loaded) return standing;
  if (wish.purpose === 'preload') {
    const refusal = preloadRefusal(view.account, needed);
    if (refusal) return refusal;
  }
  const short = shortage(wish, view, needed, { loaded, coming });
  if (!short) return { kind: 'admit', promiseBytes: needed };
  const models = evictable(wish, view, short);
  const sum = { neededBytes: needed, freeBytes: short.freeBytes };
  if (models) return { kind: 'evict', models, rule: short.rule, ...sum };
  if (wish.mayMove || wish.purpose !== 'request') return { kind: 'refuse', rule: short.rule, ...sum };
  return { kind: 'wait', rule: short.rule, ...sum };
}

/**
 * The refusal that no waiting and no eviction can cure: a model that is larger than what the GPU gives, or that has an
 * array larger than one buffer. Null when there is none, or its size is unknown.
 */
export function standingRefusal(
  wish: Pick<MemoryWish, 'needs' | 'tokens' | 'backend' | 'overruled'>,
  { ledger, bufferBytes }: Account,
): Extract<Decision, { kind: 'refuse' }> | null {
  if (wish.overruled || !MEMORY_ROLES[wish.backend].dies) return null;
  const { largestTensorBytes, weightsBytes } = wish.needs;
  if (largestTensorBytes !== null && largestTensorBytes > bufferBytes) {
    return refuse('buffer_limit', largestTensorBytes, bufferBytes);
  }
  const needed = weightsBytes === null ? null : weightsBytes + cacheBytes(wish);
  if (needed === null || needed <= ledger.workingSetBytes) return null;
  return refuse('working_set', needed, ledger.workingSetBytes);
}

/** What should go although nobody asked, because memory is critical: enough to get below the warning, or all there is. */
export function relief(view: GuardView): Evicted[] {
  if (!view.critical) return [];
  const { account } = view;
  return leastUsed(idleModels(view, null), usedNow(account) - account.ledger.warningBytes).models;
}

/** A preload that has begun is given up above 75 %. */
export function mustStopPreload({ ledger }: Account): boolean {
  return ledger.usedBytes > ledger.totalBytes * PRELOAD_STOP_SHARE;
}

/** A server that can do with less memory: it makes room for itself, and waits only for one that would die of it. */
function decideSteady(wish: MemoryWish, view: GuardView, settled: boolean, needed: number | null): Decision {
  const admit: Decision = { kind: 'admit', promiseBytes: needed };
  // The model is there, or its load has been let in.
  if (settled) return admit;
  const short = shortage(wish, view, needed, { loaded: false, coming: false });
  if (!short) return admit;
  const models = evictable(wish, view, short);
  if (models) {
    return { kind: 'evict', models, rule: short.rule, neededBytes: needed, freeBytes: short.freeBytes };
  }
  const dying = view.account.loaded.some(({ backend, ready, active }) => {
    return MEMORY_ROLES[backend].dies && (active > 0 || !ready);
  });
  return dying ? wait('protect', needed, short.freeBytes) : admit;
}

/** Is the model that is asked for there already? */
export function isLoaded(
  { backend, model }: Pick<MemoryWish, 'backend' | 'model'>,
  { loaded }: Account,
): boolean {
  return loaded.some((entry) => entry.ready && entry.backend === backend && entry.name === model);
}

/** Is the model that is asked for being loaded by leave? Its weights are promised then, and not asked for again. */
export function isComing(wish: Pick<MemoryWish, 'backend' | 'model'>, account: Account): boolean {
  const begun = account.loads.some(({ backend, model }) => backend === wish.backend && model === wish.model);
  return begun && !isLoaded(wish, account);
}

/** Where the model that is asked for is; neither = it has to be loaded. */
interface Place {
  loaded: boolean;
  coming: boolean;
}

/** Would a load meet an answer, or an answer a load, in a server that stands only one of both? */
function collides({ backend, model }: MemoryWish, account: Account, loaded: boolean): boolean {
  const others = account.loaded.filter((entry) => entry.backend === backend && entry.name !== model);
  return others.some(({ ready, active }) => !ready || (!loaded && active > 0));
}

/** Weights (if they are not there or promised), cache and activations; null when weights to be loaded are unknown. */
function neededBytes(wish: MemoryWish, { ledger }: Account, { loaded, coming }: Place): number | null {
  if ((loaded || coming) && MEMORY_ROLES[wish.backend].reserves) return 0;
  const { weightsBytes } = wish.needs;
  const cache = cacheBytes(wish);
  const workspace = Math.max(WORKSPACE_BYTES, (weightsBytes ?? 0) * WORKSPACE_SHARE);
  if (loaded) return Math.max(0, cache + workspace - spareBytes(ledger, wish.backend));
  if (coming) return cache + workspace;
  return weightsBytes === null ? null : Math.ceil((weightsBytes + cache) * (1 + SIZE_ERROR) + workspace);
}

function cacheBytes({ needs, tokens }: Pick<MemoryWish, 'needs' | 'tokens'>): number {
  if (needs.kv) return kvBytes(needs.kv, tokens);
  return tokens * Math.min(UNKNOWN_KV_BYTES, (needs.weightsBytes ?? 0) * UNKNOWN_KV_SHARE);
}

interface Shortage {
  rule: 'critical' | 'working_set';
  bytes: number;
  freeBytes: number;
}

/** By how much the wish does not fit, and by which rule; null when it fits. */
function shortage(
  wish: MemoryWish,
  { account, critical }: GuardView,
  needed: number | null,
  { loaded, coming }: Place,
): Shortage | null {
  const { ledger } = account;
  const { dies } = MEMORY_ROLES[wish.backend];
  const promised = promisedBytes(ledger);
  const highest = ledger.criticalBytes - ledger.totalBytes * RESERVE_SHARE;
  const kept = dies ? caution(wish, account, loaded || coming ? 0 : (needed ?? 0)) : 0;
  const free = highest - usedNow(account) - promised - kept;
  if (critical && dies) {
    return { rule: 'critical', bytes: Math.max(1, (needed ?? 0) - free), freeBytes: Math.max(0, free) };
  }
  const gpuFree = ledger.workingSetBytes - gpuBytesOfAll(ledger) * (1 + SIZE_ERROR) - promised;
  // What a server holds alone has fitted already.
  const alone = loaded && gpuBytesOfAll(ledger) === (gpuBytes(ledger, wish.backend) ?? 0);
  if (!alone && needed !== null && needed > gpuFree) {
    return { rule: 'working_set', bytes: needed - gpuFree, freeBytes: Math.max(0, gpuFree) };
  }
  if ((needed ?? 0) <= free) return null;
  return { rule: 'critical', bytes: (needed ?? 0) - free, freeBytes: Math.max(0, free) };
}

/** What is kept free beyond the reserve: for a rise under way, for a load's own uncertainty, and for long work. */
function caution({ expectedS }: MemoryWish, account: Account, loadBytes: number): number {
  const long = Math.max(0, (expectedS ?? 0) - SHORT_WORK_S);
  const exposed = account.ledger.totalBytes * Math.min(EXPOSURE_CEILING, long * EXPOSURE_SHARE_PER_S);
  return account.risingBytesPerS * RISE_AHEAD_S + loadBytes * LOAD_MARGIN + exposed;
}

/** The least recently used that together free enough; null when they do not. */
function evictable(wish: MemoryWish, view: GuardView, { bytes, rule }: Shortage): Evicted[] | null {
  // By the error by which it counted as held.
  const needed = rule === 'working_set' ? bytes / (1 + SIZE_ERROR) : bytes;
  const { models, freed } = leastUsed(idleModels(view, wish), needed);
  return freed >= needed && models.length > 0 ? models : null;
}

/** The first models that together free so many bytes; one of unknown size frees nothing that could be counted on. */
function leastUsed(idle: Account['loaded'], bytes: number): { models: Evicted[]; freed: number } {
  const models: Evicted[] = [];
  let freed = 0;
  for (const { backend, name, size } of idle) {
    if (freed >= bytes) break;
    models.push({ backend, model: name });
    freed += size.bytes ?? 0;
  }
  return { models, freed };
}

/** Ours, not in use, not used within 30 s, and not what is asked for; the longest unused first. */
function idleModels({ account, now }: GuardView, wish: MemoryWish | null): Account['loaded'][number][] {
  return account.loaded
    .filter(({ backend, name }) => !(wish && wish.backend === backend && wish.model === name))
    .filter(({ backend, ready, ours, active }) => {
      return ready && ours && active === 0 && MEMORY_ROLES[backend].unloads;
    })
    .filter(({ lastUsedAt }) => lastUsedAt === null || now - lastUsedAt >= KEEP_AFTER_USE_MS)
    .sort((a, b) => (a.lastUsedAt ?? 0) - (b.lastUsedAt ?? 0));
}

function preloadRefusal({ ledger }: Account, needed: number | null): Decision | null {
  const skip = ledger.totalBytes * PRELOAD_SKIP_SHARE;
  const stop = ledger.totalBytes * PRELOAD_STOP_SHARE;
  const free = Math.max(0, stop - ledger.usedBytes);
  const fits = ledger.usedBytes <= skip && ledger.usedBytes + (needed ?? 0) <= stop;
  return fits ? null : refuse('preload', needed, free);
}

function wait(rule: WaitRule, neededBytes: number | null, freeBytes: number | null): Decision {
  return { kind: 'wait', rule, neededBytes, freeBytes };
}

function refuse(
  rule: RefusalRule,
  neededBytes: number | null,
  freeBytes: number | null,
): Extract<Decision, { kind: 'refuse' }> {
  return { kind: 'refuse', rule, neededBytes, freeBytes };
}
