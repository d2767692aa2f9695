import type { CompletionChunk } from '../../../shared/completion';
import type { BackendInstance, ModelInfo } from '../../../shared/domain';
import type { BackendStatus } from '../../../shared/status';
import type { LoadedModel } from '../../memory/types';
import { readLimits } from '../../supervisor/limits';
import type { SupervisorPorts } from '../../supervisor/supervisor';
import type { Backend, BackendRequest } from '../backend';
import { Catalogue } from '../dialects/ollama/catalogue';
import { OllamaApi } from '../dialects/ollama/ollama-api';
import { StatusBoard } from '../status-board';
import { Completions } from '../watch/completions';
import { DEFAULT_STREAM_LIMITS } from '../watch/stream-limits';
import { asFailureOf } from './down';
import { withForeignContext } from './foreign-context';
import { ManagedOllama } from './managed-ollama';
import {
  OLLAMA_BEHAVIOUR,
  OLLAMA_CAPABILITIES,
  OLLAMA_DEFAULT_URL,
  type OllamaBackendOptions,
} from './ollama-options';
import { refuseRemote } from './refuse-remote';
import { Residents } from './residents';
import { RunnerCare } from './runner-care';
import { Runners } from './runners';
import { ServerChoice } from './server-choice';
import { ServerMemory } from './server-memory';
import { StatusKeeper } from './status-keeper';

const NONE: ReadonlyMap<string, number> = new Map();

/** Ollama: an external server if there is one, else our own supervised one. */
export class OllamaBackend implements Backend {
  readonly instance: BackendInstance;
  readonly capabilities = OLLAMA_CAPABILITIES;
  readonly behaviour = OLLAMA_BEHAVIOUR;
  readonly #options: OllamaBackendOptions;
  readonly #ports: SupervisorPorts;
  readonly #board: StatusBoard;
  readonly #managed: ManagedOllama;
  readonly #choice: ServerChoice;
  readonly #completions: Completions;
  readonly #catalogue: Catalogue;
  readonly #residents: Residents;
  readonly #care: RunnerCare;
  readonly #memory: ServerMemory;
  readonly #status: StatusKeeper;

  readonly onStatus;

  constructor(options: OllamaBackendOptions, ports: SupervisorPorts) {
    const limits = readLimits(options.limits);
    const { clock } = ports;
    const publish = () => this.#status.publish();
    this.instance = options.instance;
    this.#catalogue = new Catalogue(options.instance.id);
    this.#options = options;
    this.#ports = ports;
    this.#board = new StatusBoard(options.instance.id, limits().maxRestarts);
    this.onStatus = this.#board.onStatus;
    this.#residents = new Residents(clock, (model) => this.#catalogue.sizeOf(model));
    this.#managed = new ManagedOllama(
      {
        locate: options.locate,
        logFile: options.logFile,
        env: options.env,
        createApi: (url) => this.#createApi(url, true),
        catalogue: this.#catalogue,
        limits,
        mayStart: async (signal, cause) => {
          await options.mayStart?.(signal, cause);
          await this.#choice.adoptInstead();
        },
      },
      ports,
    );
    this.#choice = this.#createChoice();
    const runners = new Runners(ports.table, clock, () =>
      this.#choice.managed ? this.#managed.pid : this.#memory.externalPid,
    );
    this.#care = new RunnerCare({
      runners,
      residents: this.#residents,
      catalogue: this.#catalogue,
      api: () => this.#choice.current,
      managed: () => this.#choice.managed,
      busy: () => this.#completions.active > 0,
      restartServer: () => this.#managed.supervisor.endHung(),
      onDrain: publish,
      ...ports,
    });
    const streamLimits = { ...DEFAULT_STREAM_LIMITS, ...options.stream };
    this.#completions = new Completions(clock, streamLimits, publish, this.#care, options.steps);
    this.#managed.supervisor.onChange(publish);
    this.#memory = new ServerMemory({
      clock,
      residents: this.#residents,
      findHolder: options.findHolder,
      residentBytes: (pid) => this.#managed.supervisor.residentBytes(pid),
      usesMlxEngine: () => runners.useMlxEngine(),
    });
    this.#status = new StatusKeeper({
      clock,
      board: this.#board,
      managed: this.#managed,
      memory: this.#memory,
      residents: this.#residents,
      choice: () => this.#choice,
      completions: () => this.#completions,
      care: () => this.#care,
    });
  }

  status(): BackendStatus {
    return this.#board.current;
  }

  async start(): Promise<void> {
    this.#status.start();
    await this.#choice.start();
  }

  async relocate(): Promise<void> {
    await this.#choice.relocate();
  }

  async models(signal: AbortSignal = AbortSignal.timeout(30_000)): Promise<ModelInfo[]> {
    return this.#call((api) => this.#catalogue.list(api, signal));
  }

  async ensureReady(signal?: AbortSignal): Promise<void> {
    try {
      await this.#choice.ensureReady(signal);
    } catch (error) {
      throw asFailureOf(this.instance, error);
    }
  }

  async *stream(request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    const api = await this.#call(async (current) => current);
    const { model } = request;
    const parts = {
      ...{ clock: this.#ports.clock, catalogue: this.#catalogue },
      ...{ care: this.#care, residents: this.#residents },
    };
    await refuseRemote(parts, api, model, signal).catch((error) => this.#failed(error, signal));
    const sent = this.#choice.managed ? request : await withForeignContext(parts, api, request, signal);
    this.#residents.begin(model);
    try {
      for await (const chunk of this.#completions.run(api, sent, signal)) {
        this.#residents.answering(model);
        this.#status.answering(model);
        // Only an answer from this very server proves that it works.
        if (isAnswered(chunk) && this.#managed.server?.api === api) this.#managed.supervisor.answered();
        yield chunk;
      }
    } catch (error) {
      await this.#failed(error, signal);
    } finally {
      this.#residents.end(model);
    }
  }

  /**
   * Ollama stops within 50 ms of a cancelled answer, but computes a prompt's batch to its end (before 0.30 the whole
   * prompt), and the next request waits. On our server that is over when the model process is idle. On another one it
   * is unknown: `/api/ps` answers as if idle, and a probe would reload a model whose load was just cancelled.
   */
  async drained(): Promise<void> {
    await this.#care.drained();
  }

  async restart(reason: string): Promise<void> {
    this.#ports.logger.info('ollama.restart', { reason });
    await this.#choice.restart();
  }

  async release(): Promise<void> {
    await this.#choice.release();
  }

  async stop(): Promise<void> {
    this.#status.stop();
    await this.#choice.stop();
  }

  /** An external server reloads a model for another length, also one that another program loaded. */
  foreignContexts(): ReadonlyMap<string, number> {
    return this.#choice.managed ? NONE : this.#residents.contexts();
  }

  /** See `OllamaApi.pull`. */
  async pull(...args: Parameters<OllamaApi['pull']>): Promise<void> {
    await this.#call((api) => api.pull(...args));
  }

  /** See `OllamaApi.createFromFiles`. */
  async createFromFiles(...args: Parameters<OllamaApi['createFromFiles']>): Promise<void> {
    await this.#call((api) => api.createFromFiles(...args));
  }

  /** Deletes an installed model. */
  async deleteModel(...args: Parameters<OllamaApi['delete']>): Promise<void> {
    await this.#call((api) => api.delete(...args));
  }

  /** See `ServerMemory`. */
  figures() {
    return this.#memory.figures();
  }

  /** The models in this machine's memory at the last reading. */
  loaded(): LoadedModel[] {
    const { ownership } = this.#board.current;
    return ownership === 'managed' || ownership === 'adopted' ? this.#residents.list() : [];
  }

  /** See `Residents.unload`. */
  async unload(model: string, signal: AbortSignal): Promise<void> {
    await this.#call((api) => this.#residents.unload(api, model, signal));
  }

  /** See `Residents.free`. */
  async freeModel(model: string, signal: AbortSignal): Promise<void> {
    await this.#call((api) => this.#residents.free(api, model, signal));
  }

  async #failed(error: unknown, signal: AbortSignal): Promise<never> {
    if (!signal.aborted) await this.#choice.onFailure(error);
    throw asFailureOf(this.instance, error);
  }

  /** Calls the server in use. Rejects with a failure of this instance. */
  async #call<T>(run: (api: OllamaApi) => Promise<T>): Promise<T> {
    try {
      return await run(this.#choice.require());
    } catch (error) {
      throw asFailureOf(this.instance, error);
    }
  }

  #createApi(url: string, ours: boolean): OllamaApi {
    const { url: named, authorization = null } = this.#options;
    return new OllamaApi({
      ...this.#options,
      url,
      ours,
      authorization: url === named ? authorization : null,
    });
  }

  #createChoice(): ServerChoice {
    return new ServerChoice(
      {
        candidates: [OLLAMA_DEFAULT_URL],
        setBy: 'OLLAMA_API_URL',
        ...this.#options,
        board: this.#board,
        createApi: (address) => this.#createApi(address, false),
        busy: () => this.#completions.active > 0,
        onChosen: (api) => {
          this.#status.forget();
          if (api) void this.#status.refresh();
        },
      },
      this.#managed,
      this.#ports,
    );
  }
}

/** A load or an unload ends like an answer but is not one. */
function isAnswered(chunk: CompletionChunk): boolean {
  return chunk.type === 'end' && chunk.end.reason !== 'load' && chunk.end.reason !== 'unload';
}
