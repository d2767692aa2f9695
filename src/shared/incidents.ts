import { z } from 'zod';
import { backendId } from './backend-schema';

/** Why a server process ended or is being ended; closed, so that a cause without text or cure does not compile. */
export const EXIT_CAUSES = [
  /** The GPU's or the machine's memory ran out inside the server. */
  'out_of_memory',
  /** A command on the GPU timed out or hung. */
  'gpu_hang',
  /** mlx_lm.server's generation thread died while the process lived. */
  'generation_dead',
  /** A request was in flight whose fingerprint has ended a process before. */
  'poison',
  'port_taken',
  'bad_model',
  'bad_arguments',
  /** Ended from outside by a signal: by the user or another program. */
  'killed',
  /** SIGKILL at a moment of critical memory pressure. */
  'killed_by_os',
  'parent_gone',
  /** No token progress within its limit; Tandem ended it. */
  'stalled',
  'runtime_broken',
  'start_failed',
  'start_timeout',
  /** No evidence; shown as unknown, never guessed. */
  'unknown',
] as const;
export type ExitCause = (typeof EXIT_CAUSES)[number];

/** One event of a server, for its timeline. */
export const lifeEventSchema = z.object({
  backend: backendId,
  /** Wall time in ms. */
  at: z.number(),
  type: z.enum([
    'started',
    'ready',
    'died',
    'stalled',
    'waiting_for_memory',
    'restart_planned',
    'restarted_by_user',
    'preload_given_up',
    'rung',
    /** Why the last process died, found out later. */
    'explained',
    /** The Mac itself went down in the GPU's memory management. */
    'kernel_panic',
    'breaker_open',
    'breaker_half_open',
    'breaker_closed',
    'stopped',
    'adopted',
    'lost',
  ]),
  cause: z.enum(EXIT_CAUSES).nullable(),
  /** Facts for the sentence: seconds, rung, bytes, pid. Never message text. */
  facts: z.record(z.string(), z.union([z.string(), z.number()])),
  /** The incident of a death; null = none. */
  incident: z.string().nullable(),
});
export type LifeEvent = z.infer<typeof lifeEventSchema>;

/** The circuit breaker of one backend. */
export const breakerSchema = z.object({
  state: z.enum(['closed', 'open', 'half_open']),
  /** Wall time of the next probe while open; null = only the user can close it. */
  nextTryAt: z.number().nullable(),
});
export type Breaker = z.infer<typeof breakerSchema>;

/** How far a backend was reduced after deaths of the GPU; rung 0 has full caches. */
export const ladderSchema = z.object({
  rung: z.number(),
  rungs: z.number(),
  /** What this rung reduces: nothing, prompt cache, context, model. */
  kind: z.enum(['full', 'prompt_cache', 'context', 'model']),
  promptCacheBytes: z.number().nullable(),
  contextTokens: z.number().nullable(),
  /** Tokens of a prefill step, shortened since the system ended a command that took too long; null = full size. */
  prefillStepTokens: z.number().nullable(),
  model: z.string().nullable(),
  /** Wall time at which it climbs one rung if nothing fails; null = on rung 0. */
  climbsAt: z.number().nullable(),
});
export type Ladder = z.infer<typeof ladderSchema>;

/** Silence in ms after which a backend counts as hung; `learned` = from the step times of its model. */
export const hangLimitsSchema = z.object({
  silenceMs: z.number().nullable(),
  stepMs: z.number(),
  learned: z.boolean(),
});
export type HangLimitsView = z.infer<typeof hangLimitsSchema>;
