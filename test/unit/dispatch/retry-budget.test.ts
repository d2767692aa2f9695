import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../../src/main/dispatch/retry-budget';
import { FakeClock, settle } from '../../support/fake-clock';
import { seeded } from '../../support/seeded';

describe('the retry budget', () => {
  it('allows a burst of 20, then one every two seconds', async () => {
    const clock = new FakeClock();
    const budget = new RetryBudget(clock);
    expect(Array.from({ length: 21 }, () => budget.take()).lastIndexOf(true)).toBe(19);
    await clock.advance(1900);
    expect(budget.take()).toBe(false);
    await clock.advance(200);
    expect(budget.take()).toBe(true);
  });

  it('allows one more for every fifth accepted request', () => {
    const budget = new RetryBudget(new FakeClock());
    while (budget.take());
    for (let index = 0; index < 10; index += 1) budget.earn();
    expect([budget.take(), budget.take(), budget.take()]).toEqual([true, true, false]);
  });

  it('never lets replays exceed a fifth of the requests, one every two seconds and a burst', async () => {
    const random = seeded(4);
    const clock = new FakeClock();
    const budget = new RetryBudget(clock);
    let [accepted, replays, ms] = [0, 0, 0];
    for (let step = 0; step < 3000; step += 1) {
      const what = random();
      if (what < 0.4) {
        budget.earn();
        accepted += 1;
      } else if (what < 0.9) replays += Number(budget.take());
      else {
        const wait = Math.floor(random() * 50);
        ms += wait;
        await clock.advance(wait);
      }
      expect(replays).toBeLessThanOrEqual(20 + accepted / 5 + ms / 2000 + 1e-6);
    }
    expect(replays).toBeGreaterThan(100);
  });

  it('waits for the next replay, and stops waiting on abort', async () => {
    const clock = new FakeClock();
    const budget = new RetryBudget(clock);
    while (budget.take());
    let taken = false;
    void budget.taken(new AbortController().signal).then(() => {
      taken = true;
    });
    await clock.advance(1900);
    expect(taken).toBe(false);
    await clock.advance(200);
    expect(taken).toBe(true);

    const abort = new AbortController();
    const stopped = budget.taken(abort.signal).catch((error: Error) => error.message);
    await settle();
    abort.abort(new Error('left'));
    expect(await stopped).toBe('left');
    expect(clock.pending).toBe(0);
  });
});
