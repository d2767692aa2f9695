import type { Snapshot } from './contract';
import { type BackendId, isServing } from './domain';

/** What needs a person: nothing in Tandem can mend it by itself. `key` is the same for as long as it lasts. */
export type Attention =
  /** `other` answers meanwhile; null = no server does. */
  | { key: string; kind: 'breaker'; backend: BackendId; other: BackendId | null }
  | { key: string; kind: 'setup'; backend: BackendId }
  | { key: string; kind: 'memory' };

/** The parts of the snapshot that tell it. */
export type AttentionFacts = Pick<Snapshot, 'backends' | 'setup' | 'ledger'>;

/**
 * Everything that needs a person now. A restart that Tandem does by itself is none of it. A breaker that is being
 * probed still counts, so that a probe that fails is no new event.
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
    // Without the small model nothing else fails, and its own card offers to try again.
    if (stage === 'failed' && part !== 'model')
      found.push({ key: `setup:${part}`, kind: 'setup', backend: part });
  }
  if (refusesAll(facts)) found.push({ key: 'memory', kind: 'memory' });
  return found;
}

/**
 * Is memory so short that a request was turned away, and no other server can take it? By the ledger's pressure: the one
 * measured goes to and fro about its limit.
 */
function refusesAll({ backends, ledger }: AttentionFacts): boolean {
  const decision = ledger?.lastDecision;
  if (decision?.kind !== 'refuse' || decision.rule !== 'critical') return false;
  if (ledger?.pressure !== 'critical') return false;
  return servingBeside(decision.backend, backends) === null;
}

/** A server that can stand in for this one now. */
export function servingBeside(backend: BackendId, backends: Snapshot['backends']): BackendId | null {
  return backends.find(({ id, state }) => id !== backend && isServing(state))?.id ?? null;
}
