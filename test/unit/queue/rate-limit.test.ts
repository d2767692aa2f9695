import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../../src/main/queue/rate-limit';
import { FakeClock } from '../../support/fake-clock';

function setUp(max: number, maxClients?: number) {
  const clock = new FakeClock();
  const limits = { max, windowMs: 90_000 };
  return { clock, limits, limit: new RateLimit({ clock, limits: () => limits, maxClients }) };
}

describe('RateLimit', () => {
  it('passes as many as allowed, then returns when the next window begins', async () => {
    const { clock, limit } = setUp(2);
    expect([limit.take('a'), limit.take('a')]).toEqual([0, 0]);
    await clock.advance(30_500);
    expect(limit.take('a')).toBe(60);
    await clock.advance(59_500);
    expect(limit.take('a')).toBe(0);
  });

  it('counts each client separately', () => {
    const { limit } = setUp(1);
    expect([limit.take('a'), limit.take('b'), limit.take('a')]).toEqual([0, 0, 90]);
  });

  it('gives a client no more when it splits itself', () => {
    const { limit } = setUp(1);
    expect([limit.take('a#1'), limit.take('a#2'), limit.take('a')]).toEqual([0, 90, 90]);
    for (const agent of ['curl', 'python', 'x#y']) expect(limit.take(`a ${agent}`)).toBe(90);
    expect(limit.clients).toBe(1);
  });

  it('is off at 0 and applies a changed setting at once', () => {
    const { limit, limits } = setUp(0);
    for (let n = 0; n < 500; n += 1) expect(limit.take('a')).toBe(0);
    limits.max = 1;
    expect([limit.take('a'), limit.take('a')]).toEqual([0, 90]);
  });

  it('remembers a bounded number of clients and forgets the longest inactive one', () => {
    const { limit } = setUp(1, 2);
    for (const client of ['a', 'b', 'a', 'c']) limit.take(client);
    expect(limit.clients).toBe(2);
    expect(limit.take('a')).toBe(90);
    expect(limit.take('b')).toBe(0);
  });
});
