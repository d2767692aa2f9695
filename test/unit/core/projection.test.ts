import { describe, expect, it } from 'vitest';
import { Projection, type Sources } from '../../../src/main/core/projection';
import type { Push } from '../../../src/shared/contract';
import { FakeClock } from '../../support/fake-clock';

function projected() {
  const clock = new FakeClock();
  const state = { capable: false, models: 0 };
  const sources = { capable: () => state.capable, models: () => Array(state.models).fill('m') };
  const projection = new Projection(sources as unknown as Sources, clock);
  const pushes: Push[] = [];
  projection.onPush((push) => void pushes.push(push));
  return { clock, state, projection, pushes };
}
const patch = (revision: number, parts: object) => ({ name: 'patch', payload: { revision, patch: parts } });

describe('Projection', () => {
  it('sends the changes of 50 ms in one patch, with the last value of each part', async () => {
    const { clock, state, projection, pushes } = projected();
    projection.touch('capable');
    await clock.advance(49);
    state.capable = true;
    projection.touch('models', 'capable');
    expect(pushes).toEqual([]);
    await clock.advance(1);
    expect(pushes).toEqual([patch(1, { capable: true, models: [] })]);
  });

  it('sends nothing for a part that has the same value', async () => {
    const { clock, state, projection, pushes } = projected();
    projection.touch('capable', 'models');
    await clock.advance(50);
    state.models = 1;
    projection.touch('capable', 'models');
    await clock.advance(50);
    projection.touch('capable');
    await clock.advance(50);
    expect(pushes.slice(1)).toEqual([patch(2, { models: ['m'] })]);
    expect(clock.pending).toBe(0);
  });

  it('gives a snapshot the revision of every change in it', async () => {
    const { clock, state, projection, pushes } = projected();
    state.capable = true;
    projection.touch('capable');
    expect(projection.snapshot()).toEqual({ revision: 1, snapshot: { capable: true, models: [] } });
    await clock.advance(50);
    expect(pushes).toEqual([patch(1, { capable: true })]);
  });
});
