import type { BackendInstance } from '../../../shared/domain';
import type { ExitCause } from '../../../shared/incidents';
import type { MemoryBehaviour } from '../../memory/types';
import type { LimitsSource } from '../../supervisor/limits';
import type { BackendCapabilities } from '../backend';
import type { ServerConnection } from '../dialects/connection';
import type { Locate } from '../locate';
import type { StepTimes } from '../step-times';
import type { StreamLimits } from '../watch/stream-limits';

export const OLLAMA_CAPABILITIES: BackendCapabilities = { tools: true, images: true, jsonSchema: true };

export const OLLAMA_BEHAVIOUR: MemoryBehaviour = {
  dies: false,
  loadsAlone: false,
  unloads: true,
  reserves: true,
  reports: false,
};

export const OLLAMA_DEFAULT_URL = 'http://127.0.0.1:11434';

export interface OllamaBackendOptions extends Omit<ServerConnection, 'url'> {
  instance: BackendInstance;
  /** Only that server is used, nothing is started here. Null = search for one, else start our own. */
  url: string | null;
  /** The variable or setting that names it, for messages. */
  setBy?: string;
  /** Authorization for that server only. See `ServerConnection`. */
  authorization?: string | null;
  /** Addresses searched for an external server, in this order. */
  candidates?: readonly string[];
  /** Finds the Ollama program. Called before each start of our own server, at `relocate` and at manual restarts. */
  locate: Locate;
  /** The server's own log; renamed to `.1` when large. The server also starts without write permission for it. */
  logFile: string;
  /** Resolves when memory allows a start; `cause` is what ended the last run. */
  mayStart?(signal: AbortSignal, cause: ExitCause | null): Promise<void>;
  /** The process that listens on a local port, used to observe an adopted server. */
  findHolder?(port: number): Promise<{ pid: number; name: string } | null>;
  env: Readonly<Record<string, string | undefined>>;
  limits?: LimitsSource;
  stream?: Partial<StreamLimits>;
  /** Learned steps of the models, used for hang limits. */
  steps?: StepTimes;
  /** Interval of checking or searching for an external server, ms. */
  watchEveryMs?: number;
}
