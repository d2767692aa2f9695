import { describe, expect, it } from 'vitest';
import { countStops, lifeSpans } from '../../../../src/renderer/features/status/life-spans';
import type { LifeEvent } from '../../../../src/shared/incidents';

const at = (time: number, type: LifeEvent['type']): LifeEvent => ({
  backend: 'mlx',
  at: time,
  type,
  cause: null,
  facts: {},
  incident: null,
});

describe('lifeSpans', () => {
  it('joins events to spans without gaps, up to now', () => {
    const events = [
      at(0, 'started'),
      at(10, 'ready'),
      at(60, 'died'),
      at(62, 'waiting_for_memory'),
      at(80, 'started'),
      at(85, 'ready'),
    ];
    expect(lifeSpans(events, 100, 100)).toEqual([
      { state: 'starting', from: 0, to: 10 },
      { state: 'up', from: 10, to: 60 },
      { state: 'down', from: 60, to: 62 },
      { state: 'waiting', from: 62, to: 80 },
      { state: 'starting', from: 80, to: 85 },
      { state: 'up', from: 85, to: 100 },
    ]);
  });

  it('cuts off the time before the window and keeps the state that reached into it', () => {
    const events = [at(0, 'ready'), at(20, 'died'), at(30, 'started'), at(31, 'ready')];
    expect(lifeSpans(events, 100, 50)).toEqual([{ state: 'up', from: 50, to: 100 }]);
  });

  it('continues through an event that changes nothing', () => {
    const events = [at(0, 'breaker_open'), at(10, 'rung'), at(20, 'breaker_closed')];
    expect(lifeSpans(events, 30, 30)).toEqual([{ state: 'resting', from: 0, to: 30 }]);
  });

  it('leaves the time between the last run of Tandem and this one empty', () => {
    const events = [at(10, 'died'), at(30, 'died'), at(80, 'started'), at(85, 'ready')];
    expect(lifeSpans(events, 100, 80)).toEqual([
      { state: 'down', from: 30, to: 30 },
      { state: 'starting', from: 80, to: 85 },
      { state: 'up', from: 85, to: 100 },
    ]);
    expect(lifeSpans([at(10, 'died')], 100, 90)).toEqual([{ state: 'down', from: 10, to: 10 }]);
    const down = [at(10, 'died'), at(90, 'restart_planned')];
    expect(lifeSpans(down, 100, 100)).toEqual([
      { state: 'down', from: 10, to: 10 },
      { state: 'down', from: 90, to: 100 },
    ]);
  });

  it('is empty without an event that begins a state', () => {
    expect(lifeSpans([], 100, 50)).toEqual([]);
    expect(lifeSpans([at(0, 'rung')], 100, 50)).toEqual([]);
  });
});

describe('countStops', () => {
  it('counts unwanted stops', () => {
    const events = [at(0, 'stalled'), at(1, 'died'), at(2, 'lost'), at(3, 'stopped'), at(4, 'ready')];
    expect(countStops(events)).toBe(2);
  });
});
