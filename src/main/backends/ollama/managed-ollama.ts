import type { TandemError } from '../../../shared/errors';
import type { ExitCause } from '../../../shared/incidents';
import { pollUntil } from '../../ports/clock';
import type { SupervisorLimits } from '../../supervisor/limits';
import { Supervisor, type SupervisorPorts } from '../../supervisor/supervisor';
import type { Catalogue } from './catalogue';
import { OllamaLog, ollamaLaunchSpec } from './launch-spec';
import type { OllamaApi } from './ollama-api';

export interface ManagedOllamaOptions {
  /** Path of the program, asked before each start; a rejection is a failed start. */
  program(): Promise<string>;
  logFile: string;
  env: Readonly<Record<string, string | undefined>>;
  createApi(url: string): OllamaApi;
  catalogue: Catalogue;
  limits(): SupervisorLimits;
  mayStart(signal: AbortSignal, cause: ExitCause | null): Promise<void>;
}

/** Only a model this small is asked for one token to prove a fresh server alive: a large one takes minutes to load. */
const PROBE_MODEL_BYTES = 64_000_000;

/** `ollama serve` as a supervised child process of ours, on a port that it chose. */
export class ManagedOllama {
  readonly supervisor: Supervisor;
  readonly #options: ManagedOllamaOptions;
  readonly #ports: SupervisorPorts;
  readonly #log: OllamaLog;
  #server: { api: OllamaApi; version: string } | null = null;

  constructor(options: ManagedOllamaOptions, ports: SupervisorPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#log = new OllamaLog(options.logFile);
    this.supervisor = new Supervisor(
      {
        kind: 'ollama',
        limits: options.limits,
        launch: () => this.#launch(),
        onSpawn: () => {
          this.#server = null;
        },
        probe: (signal, onStage) => this.#probe(signal, onStage),
        // It ends with 0 only when it is asked to, by SIGTERM or SIGINT.
        readExit: ({ code }) => ({ named: code === 0 ? 'killed' : null, lines: this.#log.evidence() }),
        mayStart: options.mayStart,
      },
      ports,
    );
  }

  /** The running server; null unless it is ready. */
  get server(): { api: OllamaApi; version: string } | null {
    return this.supervisor.view().state === 'ready' ? this.#server : null;
  }

  /** Pid of the server; null while none runs. */
  get pid(): number | null {
    return this.supervisor.view().pid;
  }

  async #launch() {
    const program = await this.#options.program();
    await this.#log.begin();
    return ollamaLaunchSpec(program, this.#options.env, this.#log.file);
  }

  /** The API must answer, and where a very small model is installed, that model too. */
  async #probe(signal: AbortSignal, onStage: (stage: 'loading' | 'probing') => void): Promise<void> {
    let port: number | null = null;
    const listening = async () => {
      port = this.#log.port();
      return port !== null;
    };
    await pollUntil(listening, 20, this.#ports.clock, signal);
    const api = this.#options.createApi(`http://127.0.0.1:${port}`);
    const version = await api.version(signal);
    onStage('probing');
    const models = await this.#options.catalogue.list(api, signal);
    const small = models.find(
      (model) =>
        !model.remote &&
        model.capabilities.includes('completion') &&
        (model.sizeBytes ?? Number.POSITIVE_INFINITY) <= PROBE_MODEL_BYTES,
    );
    if (small) await this.#tryModel(api, small.name, signal);
    this.#server = { api, version };
  }

  /** One broken model must not keep the server from its others; a server that has died answers nothing at all. */
  async #tryModel(api: OllamaApi, model: string, signal: AbortSignal): Promise<void> {
    try {
      await oneToken(api, model, signal);
    } catch (error) {
      await api.version(signal);
      this.#ports.logger.warn('ollama.probe-model', { model, code: (error as TandemError).code });
    }
  }
}

async function oneToken(api: OllamaApi, model: string, signal: AbortSignal): Promise<void> {
  const body = {
    model,
    stream: true,
    messages: [{ role: 'user', content: 'hi' }],
    options: { num_predict: 1 },
    // Out of memory again right after.
    keep_alive: 0,
  };
  for await (const chunk of api.complete({ path: '/api/chat', body }, signal)) {
    if (chunk.type === 'end') return;
  }
}
