import type { Decision, GuardView, MemoryWish, RefusalRule, WaitRule } from './decision';
import { evictable } from './idle-models';
import { type Account, behaviourOf } from './ledger';
import { cacheBytes, neededBytes } from './needed-bytes';
import { shortage } from './shortage';

/** Above the first share of used memory no preload starts; above the second a running preload stops. */
const PRELOAD_SKIP_SHARE = 0.7;
const PRELOAD_STOP_SHARE = 0.75;

/** Decides whether this work may take memory now. Pure. The first rule that applies in README.md's table decides. */
export function decide(wish: MemoryWish, view: GuardView): Decision {
  const { dies, loadsAlone } = behaviourOf(view.account, wish.backend);
  const loaded = isLoaded(wish, view.account);
  const coming = isComing(wish, view.account);
  const needed = neededBytes(wish, view.account, { loaded, coming });
  if (loadsAlone && collides(wish, view.account, loaded)) return wait('busy', needed, null);
  if (wish.overruled) return { kind: 'admit', promiseBytes: needed };
  if (!dies) return decideSteady(wish, view, loaded || coming, needed);
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
 * A refusal that neither waiting nor eviction can avoid: the model is larger than the GPU's working set, or has an
 * array larger than one buffer. Null if there is none, or the size is unknown.
 */
export function standingRefusal(
  wish: Pick<MemoryWish, 'needs' | 'tokens' | 'backend' | 'overruled'>,
  account: Account,
): Extract<Decision, { kind: 'refuse' }> | null {
  if (wish.overruled || !behaviourOf(account, wish.backend).dies) return null;
  const { ledger, bufferBytes } = account;
  const { largestTensorBytes, weightsBytes } = wish.needs;
  if (largestTensorBytes !== null && largestTensorBytes > bufferBytes) {
    return refuse('buffer_limit', largestTensorBytes, bufferBytes);
  }
  const needed = weightsBytes === null ? null : weightsBytes + cacheBytes(wish);
  if (needed === null || needed <= ledger.workingSetBytes) return null;
  return refuse('working_set', needed, ledger.workingSetBytes);
}

/** A running preload is stopped above 75 %. */
export function mustStopPreload({ ledger }: Account): boolean {
  return ledger.usedBytes > ledger.totalBytes * PRELOAD_STOP_SHARE;
}

/** For a server that works with less memory: it evicts, and waits only while a server that could die is busy. */
function decideSteady(wish: MemoryWish, view: GuardView, settled: boolean, needed: number | null): Decision {
  const admit: Decision = { kind: 'admit', promiseBytes: needed };
  // The model is loaded, or its load has been admitted.
  if (settled) return admit;
  const short = shortage(wish, view, needed, { loaded: false, coming: false });
  if (!short) return admit;
  const models = evictable(wish, view, short);
  if (models) {
    return { kind: 'evict', models, rule: short.rule, neededBytes: needed, freeBytes: short.freeBytes };
  }
  const dying = view.account.loaded.some(({ backend, ready, active }) => {
    return behaviourOf(view.account, backend).dies && (active > 0 || !ready);
  });
  return dying ? wait('protect', needed, short.freeBytes) : admit;
}

/** Is the requested model loaded? */
export function isLoaded(
  { backend, model }: Pick<MemoryWish, 'backend' | 'model'>,
  { loaded }: Account,
): boolean {
  return loaded.some((entry) => entry.ready && entry.backend === backend && entry.name === model);
}

/** Is the requested model being loaded by an admitted load? Its weights are then already promised. */
export function isComing(wish: Pick<MemoryWish, 'backend' | 'model'>, account: Account): boolean {
  const begun = account.loads.some(({ backend, model }) => backend === wish.backend && model === wish.model);
  return begun && !isLoaded(wish, account);
}

/** Would a load overlap an answer or another load in a server that cannot do both? */
function collides({ backend, model }: MemoryWish, account: Account, loaded: boolean): boolean {
  const others = account.loaded.filter((entry) => entry.backend === backend && entry.name !== model);
  return others.some(({ ready, active }) => !ready || (!loaded && active > 0));
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
