import type { PushPayload, Snapshot } from '../../shared/contract';

export type Patch = PushPayload<'patch'>;

/** The core's state as known to this UI. `snapshot` is null until the first one arrives. */
export interface Picture {
  revision: number;
  snapshot: Snapshot | null;
}

/** Effect of a push: ignored, a new picture, or a gap that only a new snapshot can close. */
export type PatchOutcome = { kind: 'ignored' } | { kind: 'applied'; picture: Picture } | { kind: 'gap' };

/** Applies one patch. Revisions increase by one, so any other revision is either old or a gap. */
export function applyPatch(picture: Picture, { revision, patch }: Patch): PatchOutcome {
  if (picture.snapshot === null) return { kind: 'gap' };
  if (revision <= picture.revision) return { kind: 'ignored' };
  if (revision !== picture.revision + 1) return { kind: 'gap' };
  return { kind: 'applied', picture: { revision, snapshot: { ...picture.snapshot, ...patch } } };
}

/**
 * Joins a snapshot with the patches that arrived during its request. Patches older than the snapshot are already in it;
 * a gap between them requires another snapshot.
 */
export function joinSnapshot(picture: Picture, held: readonly Patch[]): PatchOutcome {
  let current = picture;
  for (const patch of held) {
    const outcome = applyPatch(current, patch);
    if (outcome.kind === 'gap') return outcome;
    if (outcome.kind === 'applied') current = outcome.picture;
  }
  return { kind: 'applied', picture: current };
}
