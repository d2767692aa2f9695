import { describe, expect, it } from 'vitest';
import { type AttentionFacts, attentionOf } from '../../../src/shared/attention';
import { backendStatus, fakeLedger, fakeSnapshot, memoryStatus } from '../../support/fake-snapshot';

const keys = (change: Partial<AttentionFacts>) =>
  attentionOf({ ...fakeSnapshot(), ...change }).map(({ key }) => key);
const ollama = backendStatus('ollama');
const refused = fakeLedger({
  lastDecision: {
    at: 0,
    kind: 'refuse',
    backend: 'mlx',
    model: null,
    rule: 'critical',
    neededBytes: null,
    freeBytes: null,
  },
});
const critical = memoryStatus({ pressure: 'critical' });
const down = backendStatus('ollama', { state: 'backoff' });

describe('attentionOf', () => {
  it('lets Tandem mend by itself what it can', () => {
    expect(keys({})).toEqual([]);
    expect(keys({ backends: [backendStatus('mlx', { state: 'backoff' }), ollama] })).toEqual([]);
    expect(keys({ backends: [backendStatus('mlx', { state: 'hung' }), ollama] })).toEqual([]);
  });

  it('names a breaker that opened for as long as it is not closed again', () => {
    const open = backendStatus('mlx', { state: 'open', breaker: { state: 'open', nextTryAt: 1 } });
    const probing = backendStatus('mlx', {
      state: 'starting',
      breaker: { state: 'half_open', nextTryAt: null },
    });
    expect(keys({ backends: [open, ollama] })).toEqual(['breaker:mlx']);
    expect(keys({ backends: [probing, ollama] })).toEqual(['breaker:mlx']);
  });

  it('names a set-up that failed, not one that is under way', () => {
    const part = { part: 'ollama' as const, detail: '', percent: null, elapsedMs: 1 };
    expect(keys({ setup: [{ ...part, stage: 'failed' }] })).toEqual(['setup:ollama']);
    expect(keys({ setup: [{ ...part, stage: 'install' }] })).toEqual([]);
  });

  it('names memory only when no other server can take what it turned away', () => {
    expect(keys({ ledger: refused, memory: critical })).toEqual([]);
    expect(keys({ ledger: refused, memory: critical, backends: [backendStatus('mlx'), down] })).toEqual([
      'memory',
    ]);
    expect(keys({ ledger: refused, backends: [backendStatus('mlx'), down] })).toEqual([]);
  });
});
