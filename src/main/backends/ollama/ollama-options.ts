import type { ExitCause } from '../../../shared/incidents';
import type { Fetcher, Poster } from '../../ports/fetcher';
import type { LimitsSource } from '../../supervisor/limits';
import type { BackendCapabilities } from '../backend';
import type { Locate } from '../locate';
import type { StepTimes, StreamLimits } from './stream-limits';

export const OLLAMA_CAPABILITIES: BackendCapabilities = { tools: true, images: true, jsonSchema: true };

export const OLLAMA_DEFAULT_URL = 'http://127.0.0.1:11434';

export interface OllamaBackendOptions {
  /** `OLLAMA_API_URL`: that server only, nothing is started here. Null = look for one, else start our own. */
  url: string | null;
  /** Authorization for that server only. See `OllamaApiOptions`. */
  authorization?: string | null;
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
  /** What is known of the models' steps, to judge a hang by. */
  steps?: StepTimes;
  /** How often a server of somebody else is asked or looked for, ms. */
  watchEveryMs?: number;
}
