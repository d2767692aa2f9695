import type { CompletionChunk } from '../../../shared/completion';
import type { BackendInstance, ModelInfo, Reason } from '../../../shared/domain';
import { TandemError } from '../../../shared/errors';
import type { ExitCause } from '../../../shared/incidents';
import type { BackendStatus } from '../../../shared/status';
import type { LoadedModel, MemoryBehaviour, MemoryFigures, MemoryHolder } from '../../memory/types';
import { readLimits } from '../../supervisor/limits';
import type { SupervisorPorts } from '../../supervisor/supervisor';
import { type Backend, type BackendRequest, TEXT_ONLY } from '../backend';
import { isBroken } from '../broken';
import { isLoadOnly, oneToken, toMlxCall, validate } from '../dialects/openai/validate';
import { inUse } from '../in-use';
import { StatusBoard } from '../status-board';
import { absentStatus, supervisedStatus } from '../supervised-status';
import { LadderKeeper } from './ladder-keeper';
import { MlxClient } from './mlx-client';
import { mlxDown, unknownModel } from './mlx-failures';
import type { MlxBackendOptions } from './mlx-options';
import { MlxProcess } from './mlx-process';
import { MlxProgram } from './mlx-program';

export const MLX_BEHAVIOUR: MemoryBehaviour = {
  dies: true,
  loadsAlone: true,
  unloads: false,
  reserves: false,
  reports: true,
};

const AT_BOTTOM =
  'MLX ran out of memory even at its smallest, so Ollama answers everything. Free some memory or choose a smaller model, then restart MLX.';

/** mlx_lm.server as our supervised child process. */
export class MlxBackend implements Backend, MemoryHolder {
  readonly instance: BackendInstance;
  readonly capabilities = TEXT_ONLY;
  readonly behaviour = MLX_BEHAVIOUR;
  readonly #options: MlxBackendOptions;
  readonly #ports: SupervisorPorts;
  readonly #client: MlxClient;
  readonly #process: MlxProcess;
  readonly #board: StatusBoard;
  readonly #ladder: LadderKeeper;
  readonly #program: MlxProgram;
  #count = 0;

  readonly onStatus;

  constructor(options: MlxBackendOptions, ports: SupervisorPorts) {
    const limits = readLimits(options.limits);
    this.instance = options.instance;
    this.#options = options;
    this.#ports = ports;
    this.#client = new MlxClient(options);
    this.#board = new StatusBoard(options.instance.id, limits().maxRestarts);
    this.onStatus = this.#board.onStatus;
    this.#ladder = new LadderKeeper({
      ...{ clock: ports.clock, logger: ports.logger },
      ...(options.ladder ?? { file: null, smallerModel: () => null, onRung: () => {} }),
    });
    this.#program = new MlxProgram(options, this.#ladder);
    const { modelFacts, onLoaded, mayStart, hang, steps, isHeavy } = options;
    this.#process = new MlxProcess(
      {
        ...{
          limits,
          modelFacts,
          onLoaded,
          mayStart,
          hang,
          steps,
          isHeavy,
          client: this.#client,
          board: this.#board,
          ladder: this.#ladder,
        },
        locate: async () => {
          await this.#ladder.load();
          return (await this.#program.locate()) !== null;
        },
        launch: () => this.#program.launch(),
        onChange: () => this.#publish(),
      },
      ports,
    );
  }

  status(): BackendStatus {
    return this.#board.current;
  }

  refuses(model: string, tokens: number): Reason | null {
    return this.#ladder.refuses(model, tokens) ? 'memory:smaller' : null;
  }

  models(signal?: AbortSignal): Promise<ModelInfo[]> {
    return this.#options.listModels(signal);
  }

  /** Starts the server if its Python is found; else the state is `absent` with the cure. */
  async start(): Promise<void> {
    await this.#process.supervisor.start();
  }

  /** Searches again for Python, after the set-up or a long sleep, and starts the server unless it is up. */
  async relocate(): Promise<void> {
    await this.#process.supervisor.revive();
  }

  async ensureReady(signal?: AbortSignal): Promise<void> {
    await this.#process.supervisor.ensureReady(signal, () => this.#unavailable());
  }

  async *stream(request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    const folder = await this.#options.resolveModel(request.model);
    // An unknown model is never sent: the server would unload the current one before it returns an error.
    if (folder === null) throw unknownModel(request.model);
    this.#process.nameModel({ name: request.model, folder });
    const loadOnly = isLoadOnly(request);
    const safe = validate(loadOnly ? oneToken(request) : request, this.#process.facts.of(folder));
    const { address } = this.#process;
    if (address === null || this.#process.supervisor.view().state !== 'ready') throw mlxDown();
    const id = `${request.id}.${this.#count++}`;
    const { sequences } = this.#process;
    sequences.begin(id);
    // Called on the abort itself, not when the connection closes: the caller will call `drained` next.
    const leave = () => sequences.leave(id);
    signal.addEventListener('abort', leave, { once: true });
    let finished = false;
    try {
      for await (const chunk of this.#client.complete(address, id, toMlxCall(safe, folder), signal)) {
        this.#process.onFrame(id);
        if (chunk.type === 'end') {
          finished = true;
          this.#process.supervisor.answered();
        }
        if (!loadOnly) yield chunk;
        else if (chunk.type === 'end') yield { type: 'end', end: { ...chunk.end, reason: 'load' } };
        sequences.ask(id);
      }
    } catch (error) {
      finished = !signal.aborted;
      if (finished && isBroken(error)) await this.#process.supervisor.connectionLost();
      throw error;
    } finally {
      signal.removeEventListener('abort', leave);
      this.#process.memory.used();
      if (finished) sequences.end(id);
      else leave();
    }
  }

  figures(): MemoryFigures {
    return this.#process.memory.figures();
  }

  loaded(): readonly LoadedModel[] {
    return this.#process.memory.loaded();
  }

  unload(): Promise<void> {
    return this.#process.memory.unload();
  }

  /** A model is freed only with its process: the server restarts without one. */
  async freeModel(model: string): Promise<void> {
    const loaded = this.loaded().find(({ name }) => name === model);
    if (!loaded) return;
    if (!loaded.ready || loaded.active > 0) throw inUse(model);
    this.#program.skipPreload();
    await this.#process.supervisor.restart();
  }

  async drained(signal?: AbortSignal): Promise<void> {
    // A caller may call this from its own abort listener, before our listener has run.
    await Promise.resolve();
    await this.#process.sequences.drained(signal);
  }

  async restart(reason: string): Promise<void> {
    this.#ports.logger.info('mlx.restart', { reason });
    this.#ladder.tryAgain();
    await this.#process.supervisor.restart();
  }

  explained(cause: ExitCause): void {
    this.#process.explained(cause);
  }

  giveUpPreload(): void {
    this.#process.supervisor.giveUpStart();
  }

  async release(): Promise<void> {
    await this.#process.supervisor.release();
  }

  async stop(): Promise<void> {
    await this.#process.supervisor.stop();
    await this.#ladder.settled();
  }

  #unavailable(): TandemError {
    if (this.#process.supervisor.view().state !== 'absent') return mlxDown();
    return new TandemError(
      'backend_absent',
      `MLX is not installed. ${this.#program.absence?.cure ?? ''}`.trim(),
    );
  }

  #publish(): void {
    const view = this.#process.supervisor.view();
    const { open, draining } = this.#process.sequences;
    if (view.state === 'absent') {
      const { absence } = this.#program;
      if (absence) this.#board.set(absentStatus(absence));
      return;
    }
    const status = supervisedStatus(view, 'MLX', open, draining);
    const { lastError } = status;
    this.#board.set({
      ...status,
      ...(lastError && this.#ladder.atBottom ? { lastError: { ...lastError, message: AT_BOTTOM } } : {}),
      ladder: this.#ladder.view(),
      hangLimits: view.pid === null ? null : this.#process.hangLimits(),
    });
  }
}
