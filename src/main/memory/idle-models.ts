import type { Evicted, GuardView, MemoryWish } from './decision';
import { type Account, behaviourOf, usedNow } from './ledger';
import { SIZE_ERROR } from './needed-bytes';
import type { Shortage } from './shortage';

/** Never evicted within this time after its last answer. */
const KEEP_AFTER_USE_MS = 30_000;

/** Models to evict without a request while memory is critical: enough to get below the warning, or all idle ones. */
export function relief(view: GuardView): Evicted[] {
  if (!view.critical) return [];
  const { account } = view;
  return leastUsed(idleModels(view, null), usedNow(account) - account.ledger.warningBytes).models;
}

/** The least recently used models that together free enough; null if they do not. */
export function evictable(wish: MemoryWish, view: GuardView, { bytes, rule }: Shortage): Evicted[] | null {
  // The GPU total counted these models with `SIZE_ERROR` added; remove it here.
  const needed = rule === 'working_set' ? bytes / (1 + SIZE_ERROR) : bytes;
  const { models, freed } = leastUsed(idleModels(view, wish), needed);
  return freed >= needed && models.length > 0 ? models : null;
}

/** The first models that together free `bytes`; a model of unknown size counts as freeing nothing. */
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

/** Loaded by us, not in use, not used within 30 s, and not the requested model; the longest unused first. */
function idleModels({ account, now }: GuardView, wish: MemoryWish | null): Account['loaded'][number][] {
  return account.loaded
    .filter(({ backend, name }) => !(wish && wish.backend === backend && wish.model === name))
    .filter(({ backend, ready, ours, active }) => {
      return ready && ours && active === 0 && behaviourOf(account, backend).unloads;
    })
    .filter(({ lastUsedAt }) => lastUsedAt === null || now - lastUsedAt >= KEEP_AFTER_USE_MS)
    .sort((a, b) => (a.lastUsedAt ?? 0) - (b.lastUsedAt ?? 0));
}
