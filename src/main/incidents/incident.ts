import { z } from 'zod';
import { backendId } from '../../shared/backend-schema';
import { EXIT_CAUSES } from '../../shared/incidents';

const bytes = z.number().nullable();

/**
 * One death of a server, as stored and reported. Contains only codes, names and figures, never text that people wrote.
 */
export const incidentSchema = z.object({
  id: z.string().regex(/^[\w-]{1,80}$/),
  backend: backendId,
  /** Wall time in ms. */
  at: z.number(),
  cause: z.enum(EXIT_CAUSES),
  /** Kinds of lines in the server's log, each once, oldest first. */
  evidence: z.array(z.string().max(40)),
  /** Null when no exit was seen. */
  exitCode: z.number().nullable(),
  signal: z.string().max(20).nullable(),
  /** Null when no process was spawned. */
  uptimeMs: z.number().nullable(),
  memory: z.object({
    pressure: z.string().max(20),
    usedBytes: bytes,
    totalBytes: bytes,
    /** Memory of the server's processes, as last reported. */
    serverBytes: bytes,
  }),
  /** The loaded model, and the number of its requests in flight. */
  model: z.string().max(300).nullable(),
  inFlight: z.number(),
  restarts: z.number(),
  /** Its rung after running out of memory; null = it has no ladder. */
  rung: z.number().nullable(),
  versions: z.object({ tandem: z.string(), server: z.string().nullable(), system: z.string() }),
});
export type Incident = z.infer<typeof incidentSchema>;
