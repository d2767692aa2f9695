import { describe, expect, it } from 'vitest';
import { type AttentionFacts, attentionOf } from '../../../src/shared/attention';
import type { Ledger } from '../../../src/shared/status';
import { backendStatus, fakeLedger, fakeSnapshot, memoryStatus } from '../../support/fake-snapshot';

const keys = (change: Partial<AttentionFacts>) =>
  attentionOf({ ...fakeSnapshot(), ...change }).map(({ key }) => key);
const ollama = backendStatus('ollama');
const decided = (kind: 'refuse' | 'wait' | 'evict', pressure: Ledger['pressure'] = 'critical') =>
  fakeLedger({
    pressure,
    lastDecision: {
      at: 0,
      kind,
      backend: 'mlx',
      model: null,
      rule: 'critical',
      neededBytes: null,
      freeBytes: null,
    },
  });
const down = backendStatus('ollama', { state: 'backoff' });

describe('attentionOf', () => {
  it('leaves out problems that Tandem repairs itself', () => {
    expect(keys({})).toEqual([]);
    expect(keys({ backends: [backendStatus('mlx', { state: 'backoff' }), ollama] })).toEqual([]);
    expect(keys({ backends: [backendStatus('mlx', { state: 'hung' }), ollama] })).toEqual([]);
  });

  it('reports an open breaker until it is closed again', () => {
    const open = backendStatus('mlx', { state: 'open', breaker: { state: 'open', nextTryAt: 1 } });
    const probing = backendStatus('mlx', {
      state: 'starting',
      breaker: { state: 'half_open', nextTryAt: null },
    });
    expect(keys({ backends: [open, ollama] })).toEqual(['breaker:mlx']);
    expect(keys({ backends: [probing, ollama] })).toEqual(['breaker:mlx']);
  });

  it('names the server that answers while a breaker is open, or that none does', () => {
    const open = backendStatus('mlx', { state: 'open', breaker: { state: 'open', nextTryAt: 1 } });
    const other = (backends: AttentionFacts['backends']) =>
      attentionOf(fakeSnapshot({ backends })).map((found) => 'other' in found && found.other);
    expect(other([open, ollama])).toEqual(['ollama']);
    expect(other([open, down])).toEqual([null]);
    expect(other([open])).toEqual([null]);
  });

  it('reports a failed set-up, not a running one', () => {
    const part = { part: 'ollama' as const, detail: '', percent: null, elapsedMs: 1 };
    expect(keys({ setup: [{ ...part, stage: 'failed' }] })).toEqual(['setup:ollama']);
    expect(keys({ setup: [{ ...part, stage: 'install' }] })).toEqual([]);
  });

  it('reports memory only when no other server can take a rejected request', () => {
    const alone = [backendStatus('mlx'), down];
    expect(keys({ ledger: decided('refuse') })).toEqual([]);
    expect(keys({ ledger: decided('refuse'), backends: alone })).toEqual(['memory']);
    expect(keys({ ledger: decided('refuse', 'warning'), backends: alone })).toEqual([]);
  });

  it('reports memory until it has really been freed, and never for a request that only waits', () => {
    const backends = [backendStatus('mlx'), down];
    const dips = memoryStatus({ pressure: 'warning', usedPercent: 94 });
    const dipped = fakeSnapshot({ backends, memory: dips, ledger: decided('refuse') });
    expect(attentionOf(dipped).map(({ key }) => key)).toEqual(['memory']);
    for (const kind of ['wait', 'evict'] as const)
      expect(keys({ ledger: decided(kind), backends })).toEqual([]);
  });
});
