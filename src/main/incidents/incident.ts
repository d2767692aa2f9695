import { z } from 'zod';
import { BACKEND_IDS } from '../../shared/domain';
import { EXIT_CAUSES } from '../../shared/incidents';

const bytes = z.number().nullable();

/**
 * One death of a server, as it is kept and told. Codes, names and figures only: what people wrote is in none of them.
 */
export const incidentSchema = z.object({
  id: z.string().regex(/^[\w-]{1,80}$/),
  backend: z.enum(BACKEND_IDS),
  /** Wall time in ms. */
  at: z.number(),
  cause: z.enum(EXIT_CAUSES),
  /** Kinds of lines in the server's log, each once, oldest first. */
  evidence: z.array(z.string().max(40)),
  /** Null when no process was seen to end. */
  exitCode: z.number().nullable(),
  signal: z.string().max(20).nullable(),
  /** Null when no process came to be. */
  uptimeMs: z.number().nullable(),
  memory: z.object({
    pressure: z.string().max(20),
    usedBytes: bytes,
    totalBytes: bytes,
    /** Of the server's processes, as last told. */
    serverBytes: bytes,
  }),
  /** Model that was loaded, and how many requests were in its hands. */
  model: z.string().max(300).nullable(),
  inFlight: z.number(),
  restarts: z.number(),
  /** How far it had come down after running out of memory; null = it has no ladder. */
  rung: z.number().nullable(),
  versions: z.object({ tandem: z.string(), server: z.string().nullable(), system: z.string() }),
});
export type Incident = z.infer<typeof incidentSchema>;
