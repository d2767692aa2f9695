import { z } from 'zod';

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
  /** Seconds in the current step; 0 = none is running. */
  stuck: z.number(),
  /** Seconds in the current model load; 0 = none is running. */
  loading: z.number(),
  sequences: z.number(),
  queue: z.number(),
});

/** What `resources/mlx/launch.py` tells on stdout. */
const launcherEvent = z.discriminatedUnion('event', [
  z.object({ event: z.literal('listening'), port: z.number(), pid: z.number(), version: z.string() }),
  z.object({ event: z.literal('loading'), model: z.string() }),
  z.object({ event: z.literal('loaded'), model: z.string(), seconds: z.number(), active: z.number() }),
  z.object({ event: z.literal('load_failed'), model: z.string(), kind: z.string() }),
  sequenceEvent,
  memEvent,
  z.object({ event: z.literal('exit'), code: z.number(), reason: z.string() }),
]);
export type LauncherEvent = z.infer<typeof launcherEvent>;
export type MemEvent = z.infer<typeof memEvent>;
export type SequenceEvent = z.infer<typeof sequenceEvent>;

/** Null for a line that is none of ours (the launcher drops lines that a stalled reader does not take). */
export function parseLauncherLine(line: string): LauncherEvent | null {
  try {
    return launcherEvent.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
