import type { CompletionChunk } from '../../../shared/completion';
import type { BackendInstance, ModelInfo } from '../../../shared/domain';
import type { BackendStatus } from '../../../shared/status';
import type { LoadedModel } from '../../memory/types';
import { readLimits } from '../../supervisor/limits';
import type { SupervisorPorts } from '../../supervisor/supervisor';
import type { Backend, BackendRequest } from '../backend';
import { StatusBoard } from '../status-board';
import { Catalogue } from './catalogue';
import { Completions } from './completions';
import { isSilence, withDeadline } from './deadline';
import { ManagedOllama } from './managed-ollama';
import { OllamaApi } from './ollama-api';
import {
  OLLAMA_BEHAVIOUR,
  OLLAMA_CAPABILITIES,
  OLLAMA_DEFAULT_URL,
  type OllamaBackendOptions,
} from './ollama-options';
import { silentServer, undescribed } from './recovery';
import { Residents } from './residents';
import { RunnerCare } from './runner-care';
import { Runners } from './runners';
import { ServerChoice } from './server-choice';
import { ServerMemory } from './server-memory';
import { managedStatus } from './server-status';
import { DEFAULT_STREAM_LIMITS } from './stream-limits';

const PS_TIMEOUT_MS = 2000;
/** The server reads a description from the head of the model's file; on a slow disk that takes some seconds. */
const SHOW_TIMEOUT_MS = 15_000;
const FIGURES_EVERY_MS = 10_000;

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
  #cancelTimer = () => {};

  readonly onStatus;

  constructor(options: OllamaBackendOptions, ports: SupervisorPorts) {
    const limits = readLimits(options.limits);
    const { clock } = ports;
    const publish = () => this.#publish();
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
        createApi: (url) => this.#createApi(url),
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
    this.#care = new RunnerCare({
      runners: new Runners(ports.table, clock, () =>
        this.#choice.managed ? this.#managed.pid : this.#memory.externalPid,
      ),
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
    });
  }

  status(): BackendStatus {
    return this.#board.current;
  }

  async start(): Promise<void> {
    this.#cancelTimer = this.#ports.clock.every(FIGURES_EVERY_MS, () => void this.#refreshFigures());
    await this.#choice.start();
  }

  async relocate(): Promise<void> {
    await this.#choice.relocate();
  }

  async models(signal: AbortSignal = AbortSignal.timeout(30_000)): Promise<ModelInfo[]> {
    return this.#catalogue.list(this.#choice.require(), signal);
  }

  async ensureReady(signal?: AbortSignal): Promise<void> {
    await this.#choice.ensureReady(signal);
  }

  async *stream(request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    const api = this.#choice.require();
    const { model } = request;
    await this.#refuseRemote(api, model, signal).catch((error) => this.#failed(error, signal));
    this.#residents.begin(model);
    try {
      for await (const chunk of this.#completions.run(api, request, signal)) {
        this.#residents.answering(model);
        if (this.#board.current.model !== model) this.#onAnswering(model);
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
    this.#cancelTimer();
    await this.#choice.stop();
  }

  /** See `OllamaApi.pull`. */
  async pull(...args: Parameters<OllamaApi['pull']>): Promise<void> {
    await this.#choice.require().pull(...args);
  }

  /** See `OllamaApi.createFromFiles`. */
  async createFromFiles(...args: Parameters<OllamaApi['createFromFiles']>): Promise<void> {
    await this.#choice.require().createFromFiles(...args);
  }

  /** Deletes an installed model. */
  async deleteModel(...args: Parameters<OllamaApi['delete']>): Promise<void> {
    await this.#choice.require().delete(...args);
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
    await this.#residents.unload(this.#choice.require(), model, signal);
  }

  async #refuseRemote(api: OllamaApi, model: string, signal: AbortSignal): Promise<void> {
    const ask = (limited: AbortSignal) => this.#catalogue.refuseRemote(api, model, limited);
    try {
      await withDeadline(this.#ports.clock, SHOW_TIMEOUT_MS, ask, signal);
    } catch (error) {
      if (signal.aborted || !isSilence(error)) throw error;
      throw (await this.#care.restartSilent(true)) ? silentServer(error) : undescribed(model, error);
    }
  }

  /** The first chunk of an answer shows that the model is loaded. */
  #onAnswering(model: string): void {
    this.#board.set({ model });
    this.#publish();
    if (!this.#residents.has(model)) void this.#refreshFigures();
  }

  async #failed(error: unknown, signal: AbortSignal): Promise<never> {
    if (!signal.aborted) await this.#choice.onFailure(error);
    throw error;
  }

  #createApi(url: string): OllamaApi {
    const { fetcher, post, instanceId, authorization = null, url: named } = this.#options;
    return new OllamaApi({
      url,
      fetcher,
      post,
      instanceId,
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
        createApi: (address) => this.#createApi(address),
        busy: () => this.#completions.active > 0,
        onChosen: (api) => {
          this.#forget();
          if (api) void this.#refreshFigures();
        },
      },
      this.#managed,
      this.#ports,
    );
  }

  /** Memory of the processes and their models; read rarely, because both calls cost a little. */
  async #refreshFigures(): Promise<void> {
    const api = this.#choice.current;
    if (!api) return;
    const { managed } = this.#choice;
    try {
      await this.#memory.refresh(api, managed, AbortSignal.timeout(PS_TIMEOUT_MS));
      if (api !== this.#choice.current) return;
      this.#board.set({
        memoryBytes: this.#memory.bytes,
        ...(this.#completions.active > 0 ? {} : { model: this.#residents.first }),
      });
      if (!managed) return;
      await this.#managed.supervisor.recordDescendants();
    } catch {
      // The watch and the supervisor notice a server that is gone.
    }
  }

  #publish(): void {
    const before = this.#board.current;
    const work = {
      activeRequests: this.#completions.active,
      draining: this.#care.draining,
      hangLimits: before.model === null ? null : this.#completions.hangLimits(before.model),
    };
    if (!this.#choice.managed) {
      this.#board.set(work);
      return;
    }
    const view = this.#managed.supervisor.view();
    if (view.pid === null) this.#forget();
    this.#board.set(managedStatus(view, this.#managed, { ...before, ...work }));
    if (view.state === 'ready' && this.#memory.bytes === null) void this.#refreshFigures();
  }

  /** Clears all memory readings, because another server is used from now on. */
  #forget(): void {
    this.#memory.changed();
    this.#residents.changed(this.#choice.managed);
  }
}

/** A load or an unload ends like an answer but is not one. */
function isAnswered(chunk: CompletionChunk): boolean {
  return chunk.type === 'end' && chunk.end.reason !== 'load' && chunk.end.reason !== 'unload';
}
