import type { ExitCause } from '../../../shared/incidents';
import type { Fetcher, Poster } from '../../ports/fetcher';
import type { LimitsSource } from '../../supervisor/limits';
import type { Locate } from '../locate';
import type { StreamLimits } from './stream-limits';

export interface OllamaBackendOptions {
  /** `OLLAMA_API_URL`: that server only, nothing is started here. Null = look for one, else start our own. */
  url: string | null;
  /** Addresses where a server of somebody else is looked for, in this order. */
  candidates?: readonly string[];
  /** Where the Ollama program is. Asked when no server was found, at `relocate` and at manual restarts. */
  locate: Locate;
  /** The server's own log; set aside as `.1` when large. Without rights to write it the server starts all the same. */
  logFile: string;
  /** Resolves when memory allows a start; `cause` is what ended the last run. */
  mayStart?(signal: AbortSignal, cause: ExitCause | null): Promise<void>;
  /** Process that listens on a port of this machine, to know an adopted server's memory. */
  findHolder?(port: number): Promise<{ pid: number } | null>;
  env: Readonly<Record<string, string | undefined>>;
  fetcher: Fetcher;
  post: Poster;
  instanceId: string;
  limits?: LimitsSource;
  stream?: Partial<StreamLimits>;
  /** How often a server of somebody else is asked or looked for, ms. */
  watchEveryMs?: number;
}
