import type { PushPayload, Snapshot } from '../../shared/contract';

export type Patch = PushPayload<'patch'>;

/** The picture as far as this UI knows it. `snapshot` is null until the first one has come. */
export interface Picture {
  revision: number;
  snapshot: Snapshot | null;
}

/** What a push does to the picture: nothing new, a new picture, or a gap that only a new snapshot can close. */
export type PatchOutcome = { kind: 'ignored' } | { kind: 'applied'; picture: Picture } | { kind: 'gap' };

/** Applies one patch. Revisions rise by one, so anything else than the next one is old news or a gap. */
export function applyPatch(picture: Picture, { revision, patch }: Patch): PatchOutcome {
  if (picture.snapshot === null) return { kind: 'gap' };
  if (revision <= picture.revision) return { kind: 'ignored' };
  if (revision !== picture.revision + 1) return { kind: 'gap' };
  return { kind: 'applied', picture: { revision, snapshot: { ...picture.snapshot, ...patch } } };
}

/**
 * Joins a snapshot with the patches that came while it was on its way. Patches older than the snapshot are in it
 * already; a gap between them asks for another snapshot.
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
