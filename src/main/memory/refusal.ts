import type { BackendId, Reason } from '../../shared/domain';
import { TandemError } from '../../shared/errors';
import type { Decision, RefusalRule, WaitRule } from './decision';

/** Seconds after which a retry makes sense. */
const RETRY_S = 30;
const GIGABYTE = 1e9;

interface Refused {
  rule: RefusalRule | WaitRule;
  neededBytes: number | null;
  freeBytes: number | null;
}

/** The route's reason for a rule. */
export function ruleReason(rule: Refused['rule']): Reason {
  if (rule === 'working_set') return 'memory:working-set';
  return rule === 'buffer_limit' ? 'memory:buffer-limit' : 'memory:critical';
}

/**
 * A refusal as an error: what was requested, what is free, and what the user can do. Details for the view: `rule`,
 * `reason`, `cause`, `backend`, `model`, `neededBytes`, `freeBytes`.
 */
export function refusal(
  { rule, neededBytes, freeBytes }: Refused | Extract<Decision, { rule: unknown }>,
  { backend, model }: { backend: BackendId; model: string },
): TandemError {
  const passing = rule !== 'buffer_limit';
  return new TandemError('memory_critical', sentence(rule, model, neededBytes, freeBytes), {
    ...(passing ? { retryAfterS: RETRY_S } : {}),
    details: { rule, reason: ruleReason(rule), cause: 'memory', backend, model, neededBytes, freeBytes },
  });
}

function sentence(rule: Refused['rule'], model: string, needed: number | null, free: number | null): string {
  const needs = needed === null ? model : `${model} needs ${gigabytes(needed)}`;
  switch (rule) {
    case 'buffer_limit':
      return `Not loaded on purpose: one part of ${model} takes ${gigabytes(needed)}, and this GPU gives at most ${gigabytes(free)} at once. Choose a smaller or more quantised model.`;
    case 'working_set':
      return `Not loaded on purpose: ${needs}, and the GPU has ${gigabytes(free)} left. Choose a smaller model, or try anyway.`;
    case 'busy':
      return `Not begun on purpose: another model is at work for too long, and ${model} must not be loaded beside it. Try again later.`;
    default:
      return `Held back on purpose: ${needs}, and ${gigabytes(free)} of memory are free without risk. Close something large, try later, or try anyway.`;
  }
}

function gigabytes(bytes: number | null): string {
  return bytes === null ? 'an unknown amount' : `${(bytes / GIGABYTE).toFixed(1)} GB`;
}
