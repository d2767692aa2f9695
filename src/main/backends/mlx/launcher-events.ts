import { z } from 'zod';

const listeningEvent = z.object({
  event: z.literal('listening'),
  port: z.number(),
  pid: z.number(),
  version: z.string(),
  /** Bytes that the GPU may hold in total, and in one buffer; null = not reported. */
  working_set: z.number().nullable(),
  buffer: z.number().nullable(),
});
/** MLX's limits as they were set, bytes; null = its own. */
const limitsEvent = z.object({
  event: z.literal('limits'),
  memory: z.number().nullable(),
  cache: z.number().nullable(),
  wired: z.number(),
});
/** The server asked to wire another amount of memory than the one that stays wired, bytes. */
const wiringEvent = z.object({ event: z.literal('wiring'), asked: z.number(), kept: z.number() });
const sequenceEvent = z.object({
  event: z.literal('sequence'),
  id: z.string(),
  state: z.enum(['queued', 'started', 'ended']),
  active: z.number(),
  queue: z.number(),
});
const memEvent = z.object({
  event: z.literal('mem'),
  active: z.number(),
  cache: z.number(),
  peak: z.number(),
  rss: z.number(),
  footprint: z.number(),
  steps: z.number(),
  /** Seconds since the generation thread's last sign of life; 0 = it has no work, or is loading. */
  stuck: z.number(),
  doing: z.enum(['waiting', 'preparing', 'prefill', 'decode']),
  /** The longest step since the last line, ms, and the most prompt tokens in one step since then. */
  step_ms: z.number(),
  step_tokens: z.number(),
  /** Seconds in the current model load; 0 = none is running. */
  loading: z.number(),
  sequences: z.number(),
  queue: z.number(),
  /** Bytes of the prompts kept for reuse; null = unknown at this moment. */
  cached_bytes: z.number().nullable(),
});

/** Events that `resources/mlx/launch.py` writes to stdout. */
const launcherEvent = z.discriminatedUnion('event', [
  limitsEvent,
  wiringEvent,
  listeningEvent,
  z.object({ event: z.literal('loading'), model: z.string() }),
  z.object({ event: z.literal('loaded'), model: z.string(), seconds: z.number(), active: z.number() }),
  z.object({ event: z.literal('load_failed'), model: z.string(), kind: z.string() }),
  sequenceEvent,
  memEvent,
  z.object({ event: z.literal('exit'), code: z.number(), reason: z.string() }),
]);
export type LauncherEvent = z.infer<typeof launcherEvent>;
export type ListeningEvent = z.infer<typeof listeningEvent>;
export type MemEvent = z.infer<typeof memEvent>;
export type SequenceEvent = z.infer<typeof sequenceEvent>;

/** Null for an unreadable line (the launcher drops lines when its reader stalls). */
export function parseLauncherLine(line: string): LauncherEvent | null {
  try {
    return launcherEvent.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
