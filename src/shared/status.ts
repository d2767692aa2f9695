import { z } from 'zod';
import { backendId } from './backend-schema';
import { BACKEND_STATES, CATEGORIES, PRIORITIES } from './domain';
import { breakerSchema, hangLimitsSchema, ladderSchema } from './incidents';

/** The state of the running system, for the UI and `/health`. Bytes, milliseconds, percent 0–100. */

/** Facts for the UI's own sentence: names, paths and numbers, never message text. */
export const detailsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));
export type Details = z.infer<typeof detailsSchema>;

export const lastErrorSchema = z.object({
  /** Machine word for the cause, such as `unknown`, `port_taken`, `bad_model`, `start_timeout`. */
  code: z.string(),
  /** Plain sentence; no message text, only facts. */
  message: z.string(),
  at: z.number(),
  /** It hung because another program had paused it. */
  outside: z.boolean().optional(),
});

export const backendStatusSchema = z.object({
  id: backendId,
  state: z.enum(BACKEND_STATES),
  /** Current step of a start (`waiting` for memory), stop or restart, as a machine word for the UI. */
  stage: z.enum([
    'idle',
    'setup',
    'waiting',
    'spawning',
    'loading',
    'probing',
    'draining',
    'terminating',
    'killing',
  ]),
  /** Model that is loaded, or will be. */
  model: z.string().nullable(),
  version: z.string().nullable(),
  pid: z.number().nullable(),
  url: z.string().nullable(),
  /** Ours and supervised, of another owner on this machine, or on another machine. */
  ownership: z.enum(['managed', 'adopted', 'remote', 'none']),
  /** Wall time (ms since the epoch) since which it is up; null while it is down. */
  readySince: z.number().nullable(),
  /** Automatic restarts since the counter was last reset, and their limit. */
  restarts: z.number(),
  maxRestarts: z.number(),
  /** Wall time of the next automatic start; null if none is planned. */
  nextStartAt: z.number().nullable(),
  lastError: lastErrorSchema.nullable(),
  /** Resident bytes of its processes; null = unknown. */
  memoryBytes: z.number().nullable(),
  activeRequests: z.number(),
  /** Sequences that are still computed after their clients left. */
  draining: z.number(),
  /** Code and cure while it is absent. */
  absence: z.object({ code: z.string(), cure: z.string(), details: detailsSchema.optional() }).nullable(),
  breaker: breakerSchema,
  /** Null for a backend that has no reduced restarts. */
  ladder: ladderSchema.nullable(),
  /** Null while progress is not monitored. */
  hangLimits: hangLimitsSchema.nullable(),
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
  /** Resident bytes of each backend's processes; null = unknown. */
  backendBytes: z.record(z.string(), z.number().nullable()),
  /** Source of the figure: `vm_stat`, `memory_pressure`, `proc`, `cgroup`. */
  source: z.string(),
  at: z.number(),
});
export type MemoryStatus = z.infer<typeof memoryStatusSchema>;

/** One figure of the memory ledger. An unknown figure is null, never 0. */
export const ledgerEntrySchema = z.object({
  backend: backendId,
  /**
   * `process` is the OS's figure for the server's processes; `weights`, `kv_cache` and `buffers` are parts that the
   * server reports; `peak` is the highest sum of these parts since its start, not part of any sum; `promised` is a load
   * or a cache that is expected.
   */
  kind: z.enum(['process', 'weights', 'kv_cache', 'buffers', 'peak', 'promised']),
  /** Model or request that it belongs to; null = the whole server. */
  name: z.string().nullable(),
  bytes: z.number().nullable(),
  /** Source of the figure: `launcher`, `proc`, `footprint`, `api/ps`, `estimate`. */
  source: z.string(),
  /** Wall time in ms of the reading. */
  at: z.number(),
});
export type LedgerEntry = z.infer<typeof ledgerEntrySchema>;

/** Memory of all servers and the rest of the machine in one account, bytes. */
export const ledgerSchema = z.object({
  totalBytes: z.number(),
  /** Used by all programs, as the OS counts it. */
  usedBytes: z.number(),
  /** What the GPU may use in total; 75 % of memory if the system does not report it. */
  workingSetBytes: z.number(),
  warningBytes: z.number(),
  criticalBytes: z.number(),
  /** With hysteresis, as decisions use it: critical until memory has recovered. */
  pressure: memoryStatusSchema.shape.pressure,
  entries: z.array(ledgerEntrySchema),
  /** The last decision other than admit; null = none recently. */
  lastDecision: z
    .object({
      at: z.number(),
      kind: z.enum(['wait', 'evict', 'refuse']),
      backend: backendId,
      model: z.string().nullable(),
      /** Machine word of the rule, such as `critical`, `working_set`, `buffer_limit`, `preload`. */
      rule: z.string(),
      neededBytes: z.number().nullable(),
      freeBytes: z.number().nullable(),
    })
    .nullable(),
});
export type Ledger = z.infer<typeof ledgerSchema>;

/** Times of one model on this machine, seconds; null = unknown. */
export const modelTimesSchema = z.object({
  backend: backendId,
  name: z.string(),
  loadS: z.number().nullable(),
  per1kS: z.number().nullable(),
  /** Per 1,000 tokens of a prompt. */
  prefillPer1kS: z.number().nullable().optional(),
  /** Source of the values used for limits and ETAs. */
  source: z.enum(['user', 'measured', 'table', 'size', 'default']),
  samples: z.number(),
});
export type ModelTimes = z.infer<typeof modelTimesSchema>;

export const queueEntrySchema = z.object({
  id: z.string(),
  client: z.string(),
  priority: z.enum(PRIORITIES),
  category: z.enum(CATEGORIES).nullable(),
  backend: backendId.nullable(),
  model: z.string().nullable(),
  state: z.enum(['waiting', 'running', 'replaying']),
  /** 1-based among the requests that wait for the same backend; null if not waiting. */
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

/** What set-up installs: the servers' programs, and the small model that both can run. */
export const SETUP_PARTS = ['mlx', 'ollama', 'model'] as const;

/** One part of the runtime set-up, as `resources/setup/runtimes.js` reports it. */
export const setupPartSchema = z.object({
  part: z.enum(SETUP_PARTS),
  stage: z.string(),
  detail: z.string(),
  percent: z.number().nullable(),
  elapsedMs: z.number(),
  /** The Python with mlx-lm, the Ollama program, or the small model's folder. */
  path: z.string().optional(),
  url: z.string().optional(),
  version: z.string().optional(),
  source: z.string().optional(),
  code: z.string().optional(),
  cure: z.string().optional(),
  /** The command that the cure mentions, ready to type. */
  command: z.string().optional(),
});
export type SetupPart = z.infer<typeof setupPartSchema>;
