import { devNull } from 'node:os';
import type { TandemError } from '../../../shared/errors';
import type { ExitCause } from '../../../shared/incidents';
import { sleep } from '../../ports/clock';
import { freePort } from '../../ports/free-port';
import type { SupervisorLimits } from '../../supervisor/limits';
import { Supervisor, type SupervisorPorts } from '../../supervisor/supervisor';
import type { Catalogue } from '../dialects/ollama/catalogue';
import type { OllamaApi } from '../dialects/ollama/ollama-api';
import type { Absent, Locate } from '../locate';
import { withDeadline } from '../watch/deadline';
import { ollamaLaunchSpec } from './launch-spec';
import { ServerLog } from './server-log';

export interface ManagedOllamaOptions {
  /** Finds the program; called before each start. */
  locate: Locate;
  logFile: string;
  env: Readonly<Record<string, string | undefined>>;
  createApi(url: string): OllamaApi;
  catalogue: Catalogue;
  limits(): SupervisorLimits;
  mayStart(signal: AbortSignal, cause: ExitCause | null): Promise<void>;
}

/**
 * The probe requests one token only from a model up to this size: a large one takes minutes to load. The small model
 * has 98 MB.
 */
const PROBE_MODEL_BYTES = 128_000_000;

/** Interval for checking the log's size while the server runs. */
const LOG_LOOK_MS = 10_000;
const LISTEN_LOOK_MS = 20;
/** One token of such a model takes a second, on a busy machine many; a load that lost its process may never end. */
const PROBE_MODEL_MS = 60_000;
const PROBE_TRIES = 2;
/** A live server reports its version at once. */
const VERSION_MS = 5000;

/** `ollama serve` as our supervised child process, on a port that it chooses. */
export class ManagedOllama {
  readonly supervisor: Supervisor;
  readonly #options: ManagedOllamaOptions;
  readonly #ports: SupervisorPorts;
  readonly #log: ServerLog;
  /** Chosen by us when there is no log to read it from; null = read it from the log. */
  #port: number | null = null;
  #server: { api: OllamaApi; version: string } | null = null;
  #absence: Absent | null = null;
  #cancelLogWatch: (() => void) | null = null;

  constructor(options: ManagedOllamaOptions, ports: SupervisorPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#log = new ServerLog(options.logFile);
    this.supervisor = new Supervisor(
      {
        kind: 'ollama',
        limits: options.limits,
        locate: async () => (await this.#locate()) !== null,
        launch: () => this.#launch(),
        onSpawn: () => {
          this.#server = null;
        },
        probe: (signal, onStage) => this.#probe(signal, onStage),
        // It exits with 0 only after SIGTERM or SIGINT.
        readExit: ({ code }) => ({ named: code === 0 ? 'killed' : null, lines: this.#log.evidence() }),
        mayStart: options.mayStart,
      },
      ports,
    );
    this.supervisor.onChange(({ pid }) => this.#watchLog(pid !== null));
  }

  /** The running server; null unless it is ready. */
  get server(): { api: OllamaApi; version: string } | null {
    return this.supervisor.view().state === 'ready' ? this.#server : null;
  }

  /** Pid of the server; null while none runs. */
  get pid(): number | null {
    return this.supervisor.view().pid;
  }

  /** Why the program is missing; null = it was found at the last search. */
  get absence(): Absent | null {
    return this.#absence;
  }

  async #locate(): Promise<string | null> {
    const found = await this.#options.locate();
    this.#absence = 'absent' in found ? found.absent : null;
    return 'path' in found ? found.path : null;
  }

  async #launch() {
    // Located again before each start: the set-up may have installed a new program next to the old one.
    const program = await this.#locate();
    if (program === null) return null;
    const logFile = await this.#beginLog();
    this.#port = logFile === devNull ? await freePort() : null;
    return ollamaLaunchSpec(program, this.#options.env, logFile, this.#port ?? 0);
  }

  /** Starts also without a log; only the evidence for an exit is lost then. */
  async #beginLog(): Promise<string> {
    try {
      await this.#log.begin(this.#ports.clock.wall());
      return this.#log.file;
    } catch (error) {
      this.#ports.logger.warn('ollama.no-log', { code: (error as NodeJS.ErrnoException).code ?? 'unknown' });
      return devNull;
    }
  }

  /** Keeps the log bounded however long the server lives; retries on a full disk. */
  #watchLog(runs: boolean): void {
    if (runs) {
      const trim = () => void this.#log.trim().catch(() => {});
      this.#cancelLogWatch ??= this.#ports.clock.every(LOG_LOOK_MS, trim);
      return;
    }
    this.#cancelLogWatch?.();
    this.#cancelLogWatch = null;
  }

  /** Resolves when the server listens. */
  async #listening(signal: AbortSignal): Promise<OllamaApi> {
    for (;;) {
      const port = this.#port ?? this.#log.port();
      const api = port === null ? null : this.#options.createApi(`http://127.0.0.1:${port}`);
      // The log line appears when the server listens; a port chosen by us proves nothing, so the API must answer.
      if (api && (this.#port === null || (await answers(api, signal)))) return api;
      await sleep(this.#ports.clock, LISTEN_LOOK_MS, signal);
    }
  }

  /** The API must answer; if a very small model is installed, that model too. */
  async #probe(signal: AbortSignal, onStage: (stage: 'loading' | 'probing') => void): Promise<void> {
    const api = await this.#listening(signal);
    const version = await api.version(signal);
    const models = await this.#options.catalogue.list(api, signal);
    const small = models.find(
      (model) =>
        !model.remote &&
        model.capabilities.includes('completion') &&
        (model.sizeBytes ?? Number.POSITIVE_INFINITY) <= PROBE_MODEL_BYTES,
    );
    // `probing` is reported only after an answer, because `ready` in that stage closes the breaker. Reporting it before
    // could not be undone: going back to `loading` would count as another start.
    if (small && (await this.#tryModel(api, small.name, signal))) onStage('probing');
    this.#server = { api, version };
  }

  /**
   * One broken model must not block the server's other models; a dead server answers nothing at all.
   * @returns the model has answered
   */
  async #tryModel(api: OllamaApi, model: string, signal: AbortSignal): Promise<boolean> {
    const { clock, logger } = this.#ports;
    for (let turn = 0; turn < PROBE_TRIES; turn += 1) {
      try {
        await withDeadline(clock, PROBE_MODEL_MS, (limited) => oneToken(api, model, limited), signal);
        return true;
      } catch (error) {
        await withDeadline(clock, VERSION_MS, (limited) => api.version(limited), signal);
        logger.warn('ollama.probe-model', { model, code: (error as TandemError).code });
      }
    }
    return false;
  }
}

async function answers(api: OllamaApi, signal: AbortSignal): Promise<boolean> {
  return api.version(signal).then(
    () => true,
    () => false,
  );
}

async function oneToken(api: OllamaApi, model: string, signal: AbortSignal): Promise<void> {
  const body = {
    model,
    stream: true,
    messages: [{ role: 'user', content: 'hi' }],
    // On a busy machine several threads busy-wait for each other, a minute and more for one token.
    options: { num_predict: 1, num_thread: 1 },
    // Unload it right after the probe.
    keep_alive: 0,
  };
  for await (const chunk of api.complete({ path: '/api/chat', body }, signal)) {
    if (chunk.type === 'end') return;
  }
}
