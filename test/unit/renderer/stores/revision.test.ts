import { describe, expect, it } from 'vitest';
import { applyPatch, joinSnapshot } from '../../../../src/renderer/stores/revision';
import { fakeSnapshot } from '../../../support/fake-snapshot';

const picture = { revision: 4, snapshot: fakeSnapshot() };

describe('applyPatch', () => {
  it('replaces the parts that the next revision names', () => {
    const outcome = applyPatch(picture, { revision: 5, patch: { capable: false } });
    expect(outcome).toEqual({
      kind: 'applied',
      picture: { revision: 5, snapshot: { ...picture.snapshot, capable: false } },
    });
  });

  it.each([4, 3])('ignores revision %i, which it has', (revision) => {
    expect(applyPatch(picture, { revision, patch: { capable: false } })).toEqual({ kind: 'ignored' });
  });

  it('detects a gap when a revision is missing, and when there is no snapshot yet', () => {
    expect(applyPatch(picture, { revision: 6, patch: {} }).kind).toBe('gap');
    expect(applyPatch({ revision: 0, snapshot: null }, { revision: 1, patch: {} }).kind).toBe('gap');
  });
});

describe('joinSnapshot', () => {
  it('adds patches that arrived during the request, and skips those that the snapshot contains', () => {
    const held = [
      { revision: 4, patch: { capable: false } },
      { revision: 5, patch: { warnings: [{ code: 'a', message: 'A' }] } },
      { revision: 6, patch: { warnings: [] } },
    ];
    const outcome = joinSnapshot(picture, held);
    expect(outcome).toMatchObject({ kind: 'applied', picture: { revision: 6 } });
    expect(outcome.kind === 'applied' && outcome.picture.snapshot?.capable).toBe(true);
  });

  it('requires another snapshot when the held patches do not reach it', () => {
    expect(joinSnapshot(picture, [{ revision: 7, patch: {} }]).kind).toBe('gap');
  });
});
