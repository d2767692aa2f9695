import { z } from 'zod';
import { BACKEND_IDS, BACKEND_STATES, CATEGORIES, PRIORITIES } from './domain';

/** Everything the UI and `/health` are told about the running system. Bytes, milliseconds, percent 0–100. */

export const lastErrorSchema = z.object({
  /** Machine word for the cause, such as `exited`, `port_taken`, `bad_model`, `start_timeout`. */
  code: z.string(),
  /** Plain sentence; no message text, only facts. */
  message: z.string(),
  at: z.number(),
});

export const backendStatusSchema = z.object({
  id: z.enum(BACKEND_IDS),
  state: z.enum(BACKEND_STATES),
  /** What it is doing while starting, stopping or restarting, as a machine word for the UI. */
  stage: z.enum(['idle', 'setup', 'spawning', 'loading', 'probing', 'draining', 'terminating', 'killing']),
  /** Model loaded now, or to be loaded. */
  model: z.string().nullable(),
  version: z.string().nullable(),
  pid: z.number().nullable(),
  url: z.string().nullable(),
  /** Ours and supervised, somebody else's on this machine, or on another machine. */
  ownership: z.enum(['managed', 'adopted', 'remote', 'none']),
  /** Wall time (ms since the epoch) since which it is up; null while it is not. */
  readySince: z.number().nullable(),
  /** Automatic restarts since the counter was last reset, and the most that are tried. */
  restarts: z.number(),
  maxRestarts: z.number(),
  /** Wall time of the next automatic start; null when none is planned. */
  nextStartAt: z.number().nullable(),
  lastError: lastErrorSchema.nullable(),
  /** Resident bytes of its processes; null = unknown. */
  memoryBytes: z.number().nullable(),
  activeRequests: z.number(),
  /** Sequences still being computed for callers who left. */
  draining: z.number(),
  /** Code and cure when absent. */
  absence: z.object({ code: z.string(), cure: z.string() }).nullable(),
});
export type BackendStatus = z.infer<typeof backendStatusSchema>;

export const memoryStatusSchema = z.object({
  totalBytes: z.number(),
  usedBytes: z.number(),
  usedPercent: z.number(),
  /** normal below warning, by percent or by the kernel's own pressure level. */
  pressure: z.enum(['normal', 'warning', 'critical', 'unknown']),
  warningPercent: z.number(),
  criticalPercent: z.number(),
  mlxBytes: z.number().nullable(),
  ollamaBytes: z.number().nullable(),
  /** Where the figure came from: `vm_stat`, `proc`, `cgroup`. */
  source: z.string(),
  at: z.number(),
});
export type MemoryStatus = z.infer<typeof memoryStatusSchema>;

export const queueEntrySchema = z.object({
  id: z.string(),
  client: z.string(),
  priority: z.enum(PRIORITIES),
  category: z.enum(CATEGORIES).nullable(),
  backend: z.enum(BACKEND_IDS).nullable(),
  model: z.string().nullable(),
  state: z.enum(['waiting', 'running', 'replaying']),
  /** 1-based among those waiting for the same backend; null when not waiting. */
  position: z.number().nullable(),
  /** Estimated ms until it starts (waiting) or ends (running); null = unknown. */
  etaMs: z.number().nullable(),
  waitedMs: z.number(),
});
export type QueueEntry = z.infer<typeof queueEntrySchema>;

export const queueStatsSchema = z.object({
  depth: z.number(),
  running: z.number(),
  replaying: z.number(),
  by_priority: z.object({ high: z.number(), medium: z.number(), low: z.number() }),
  by_backend: z.record(
    z.string(),
    z.object({ depth: z.number(), running: z.number(), draining: z.number() }),
  ),
  oldest_wait_ms: z.number(),
  received: z.number(),
  accepted: z.number(),
  done: z.number(),
  failed: z.number(),
  cancelled: z.number(),
  rejected: z.number(),
});
export type QueueStats = z.infer<typeof queueStatsSchema>;

export const queueStatusSchema = z.object({ stats: queueStatsSchema, entries: z.array(queueEntrySchema) });
export type QueueStatus = z.infer<typeof queueStatusSchema>;

/** One part of the runtime set-up, as `resources/setup/runtimes.js` reports it. */
export const setupPartSchema = z.object({
  part: z.enum(['mlx', 'ollama']),
  stage: z.string(),
  detail: z.string(),
  percent: z.number().nullable(),
  elapsedMs: z.number(),
  path: z.string().optional(),
  url: z.string().optional(),
  version: z.string().optional(),
  source: z.string().optional(),
  code: z.string().optional(),
  cure: z.string().optional(),
});
export type SetupPart = z.infer<typeof setupPartSchema>;
