import { describe, expect, it } from 'vitest';
import { BackendRegistry } from '../../../src/main/backends/registry';
import { Attempt } from '../../../src/main/dispatch/answer';
import { DrainWatch } from '../../../src/main/dispatch/drain-watch';
import { Fingerprints } from '../../../src/main/dispatch/suspects/fingerprints';
import { InFlight } from '../../../src/main/dispatch/suspects/in-flight';
import { silentLogger } from '../../../src/main/ports/logger';
import type { Candidate } from '../../../src/main/router/types';
import type { CompletionRequest } from '../../../src/shared/completion';
import { FakeClock } from '../../support/fake-clock';
import { MemoryFiles } from '../../support/memory-files';
import { ScriptedBackend } from '../../support/scripted-backend';

describe('Attempt', () => {
  it('leaves no timer when it ended before its stream began', async () => {
    const clock = new FakeClock();
    const backend = new ScriptedBackend('mlx', clock);
    const left = new AbortController();
    const told: string[] = [];
    const fingerprints = new Fingerprints({
      files: new MemoryFiles(),
      path: 'suspects.json',
      clock,
      logger: silentLogger,
    });
    const ollama = new ScriptedBackend('ollama', clock);
    const inFlight = new InFlight(new BackendRegistry([backend, ollama]), fingerprints);
    const request: CompletionRequest = {
      id: 'r',
      messages: [],
      model: { kind: 'auto' },
      priority: 'medium',
      client: 'one',
      sampling: {},
      strict: false,
      origin: 'gateway',
    };
    const plan = {
      timeoutMs: 1000,
      wish: { backend: 'mlx', model: 'm', category: 'general', estimateMs: 1, loadMs: 0, waitMs: 1 } as const,
    };
    const candidate: Candidate = { backend: 'mlx', model: 'm', waitForReady: false, reasons: [] };
    const attempt = new Attempt(
      { backend, candidate, clock, plan, mayWait: false, drains: new DrainWatch(clock) },
      {
        kind: 'seat',
        slot: { waitedMs: 0, release: () => void told.push('released'), drain: () => {} },
        stay: inFlight.arrive('mlx', request),
      },
      left.signal,
    );
    left.abort(new Error('left'));
    const stream = attempt.stream({ id: 'r', model: 'm', messages: [], sampling: {} });
    await expect(stream.next()).rejects.toThrow('left');
    expect([clock.pending, told, backend.requests.length]).toEqual([0, ['released'], 0]);
  });
});
