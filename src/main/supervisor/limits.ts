/** Timeouts and counts for a supervised process; ms unless named otherwise. */
export interface SupervisorLimits {
  /** How long the memory check before a start may take before it counts as a wait. */
  askMs: number;
  /** After this long, a wait for memory is reported once more (`overdue`); the wait continues. */
  memoryWaitMs: number;
  /** From the moment memory allows the start until ready. */
  startTimeoutMs: number;
  /** Between SIGTERM and SIGKILL. */
  graceMs: number;
  /** This long after SIGKILL the process counts as gone, whatever the OS reports. */
  giveUpMs: number;
  backoffFirstMs: number;
  backoffCeilingMs: number;
  maxRestarts: number;
  /** After this long in `ready`, the restart counter is reset to 0. */
  stableMs: number;
  /** How long the breaker stays open before its first probe; doubles with each failed probe. */
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

/** Overrides of the default limits; a function is called at each step, so a changed setting applies at once. */
export type LimitsSource = Partial<SupervisorLimits> | (() => Partial<SupervisorLimits>);

export function readLimits(source: LimitsSource = {}): () => SupervisorLimits {
  if (typeof source === 'function') return () => ({ ...DEFAULT_LIMITS, ...source() });
  const limits = { ...DEFAULT_LIMITS, ...source };
  return () => limits;
}

/**
 * Limits that follow the settings. A shorter backoff shortens its ceiling and the breaker's cool-down in proportion; a
 * longer one lengthens nothing else.
 * @param backoffS seconds to the first restart
 * @param stableS seconds in `ready` after which the restart counter is reset
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

/** @param openings how often the breaker has opened since the last stable time */
export function coolDownMs(openings: number, limits: SupervisorLimits): number {
  return Math.min(limits.coolDownFirstMs * 2 ** openings, limits.coolDownCeilingMs);
}
