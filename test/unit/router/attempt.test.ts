import { describe, expect, it } from 'vitest';
import { Attempt } from '../../../src/main/router/attempt';
import { FakeClock } from '../../support/fake-clock';
import { ScriptedBackend } from '../../support/scripted-backend';

describe('Attempt', () => {
  it('leaves no timer when it was over before its stream began', async () => {
    const clock = new FakeClock();
    const backend = new ScriptedBackend('mlx', clock);
    const left = new AbortController();
    const told: string[] = [];
    const attempt = new Attempt(
      {
        backend,
        candidate: { backend: 'mlx', model: 'm', starter: false, waitForReady: false, reasons: [] },
        slot: { waitedMs: 0, release: () => void told.push('released'), drain: () => {} },
        clock,
        timeoutMs: 1000,
        mayWait: false,
        onDrain: () => {},
        enter: () => Promise.reject(new Error('not asked')),
      },
      left.signal,
    );
    left.abort(new Error('left'));
    const stream = attempt.stream({ id: 'r', model: 'm', messages: [], sampling: {} });
    await expect(stream.next()).rejects.toThrow('left');
    expect([clock.pending, told, backend.requests.length]).toEqual([0, ['released'], 0]);
  });
});
