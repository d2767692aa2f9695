import type { Snapshot } from './contract';
import { type BackendId, isServing } from './domain';

/** An event that needs the user: Tandem cannot repair it automatically. `key` stays the same while it lasts. */
export type Attention =
  /** `other` answers meanwhile; null = no server does. */
  | { key: string; kind: 'breaker'; backend: BackendId; other: BackendId | null }
  | { key: string; kind: 'setup'; backend: BackendId }
  | { key: string; kind: 'memory' };

/** The parts of the snapshot from which events are derived. */
export type AttentionFacts = Pick<Snapshot, 'backends' | 'setup' | 'ledger'>;

/**
 * All events that need the user now. An automatic restart is not one. A breaker that is being probed still counts, so
 * that a failed probe is not a new event.
 */
export function attentionOf(facts: AttentionFacts): Attention[] {
  const found: Attention[] = [];
  for (const { id, state, breaker } of facts.backends) {
    if (state === 'open' || breaker.state !== 'closed')
      found.push({
        key: `breaker:${id}`,
        kind: 'breaker',
        backend: id,
        other: servingBeside(id, facts.backends),
      });
  }
  for (const { part, stage } of facts.setup) {
    // Nothing else depends on the small model, and its own card offers a retry.
    if (stage === 'failed' && part !== 'model')
      found.push({ key: `setup:${part}`, kind: 'setup', backend: part });
  }
  if (refusesAll(facts)) found.push({ key: 'memory', kind: 'memory' });
  return found;
}

/**
 * Was a request refused because memory is critical, and can no other server take it? Uses the ledger's pressure, as the
 * measured one fluctuates around its limit.
 */
function refusesAll({ backends, ledger }: AttentionFacts): boolean {
  const decision = ledger?.lastDecision;
  if (decision?.kind !== 'refuse' || decision.rule !== 'critical') return false;
  if (ledger?.pressure !== 'critical') return false;
  return servingBeside(decision.backend, backends) === null;
}

/** A server that can replace this one now. */
export function servingBeside(backend: BackendId, backends: Snapshot['backends']): BackendId | null {
  return backends.find(({ id, state }) => id !== backend && isServing(state))?.id ?? null;
}
