/** Times and counts that bound the life of a supervised process; ms unless named otherwise. */
export interface SupervisorLimits {
  /** The question whether memory allows a start may take this long before it counts as a wait. */
  askMs: number;
  /** A wait for memory that lasts longer is told of once more; it goes on. */
  memoryWaitMs: number;
  /** From the moment that a start is allowed to ready. */
  startTimeoutMs: number;
  /** Between SIGTERM and SIGKILL. */
  graceMs: number;
  /** After SIGKILL the process counts as gone whatever the OS says. */
  giveUpMs: number;
  backoffFirstMs: number;
  backoffCeilingMs: number;
  maxRestarts: number;
  /** Ready this long, the restart counter goes back to 0. */
  stableMs: number;
  /** How long the breaker stays open before its first probe; doubles with each one that fails. */
  coolDownFirstMs: number;
  coolDownCeilingMs: number;
}

/** Product definition: backoff from 5 s, at most 10 restarts, all ended within 8 s. */
export const DEFAULT_LIMITS: SupervisorLimits = {
  askMs: 1_000,
  memoryWaitMs: 300_000,
  startTimeoutMs: 300_000,
  graceMs: 4_000,
  giveUpMs: 2_000,
  backoffFirstMs: 5_000,
  backoffCeilingMs: 300_000,
  maxRestarts: 10,
  stableMs: 600_000,
  coolDownFirstMs: 600_000,
  coolDownCeilingMs: 3_600_000,
};

/** Limits that differ from the default ones; a function is asked at each step, so that a setting acts at once. */
export type LimitsSource = Partial<SupervisorLimits> | (() => Partial<SupervisorLimits>);

export function readLimits(source: LimitsSource = {}): () => SupervisorLimits {
  if (typeof source === 'function') return () => ({ ...DEFAULT_LIMITS, ...source() });
  const limits = { ...DEFAULT_LIMITS, ...source };
  return () => limits;
}

/**
 * Limits that follow the settings. A shorter backoff shortens what is built on it in proportion (ceiling, cool-down of
 * the breaker); a longer one lengthens nothing else.
 * @param backoffS seconds to the first restart
 * @param stableS seconds of being ready after which earlier restarts are forgotten
 */
export function restartLimits(backoffS: number, stableS: number): Partial<SupervisorLimits> {
  const share = Math.min(1, (backoffS * 1000) / DEFAULT_LIMITS.backoffFirstMs);
  return {
    backoffFirstMs: backoffS * 1000,
    backoffCeilingMs: DEFAULT_LIMITS.backoffCeilingMs * share,
    coolDownFirstMs: DEFAULT_LIMITS.coolDownFirstMs * share,
    coolDownCeilingMs: DEFAULT_LIMITS.coolDownCeilingMs * share,
    stableMs: stableS * 1000,
  };
}

export function backoffMs(restarts: number, limits: SupervisorLimits): number {
  return Math.min(limits.backoffFirstMs * 2 ** restarts, limits.backoffCeilingMs);
}

/** @param openings how often the breaker has opened before without a stable time in between */
export function coolDownMs(openings: number, limits: SupervisorLimits): number {
  return Math.min(limits.coolDownFirstMs * 2 ** openings, limits.coolDownCeilingMs);
}
