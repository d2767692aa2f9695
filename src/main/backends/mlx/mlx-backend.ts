import { basename } from 'node:path';
import type { CompletionChunk, ModelInfo } from '../../../shared/domain';
import { TandemError } from '../../../shared/errors';
import type { BackendStatus } from '../../../shared/status';
import { pollUntil } from '../../ports/clock';
import type { Fetcher, Poster } from '../../ports/fetcher';
import type { ChildHandle } from '../../ports/spawner';
import { drainLines, LogRing } from '../../supervisor/log-ring';
import { Supervisor, type SupervisorPorts } from '../../supervisor/supervisor';
import { DEFAULT_LIMITS, type SupervisorLimits } from '../../supervisor/transitions';
import type { Backend, BackendCapabilities, BackendRequest } from '../backend';
import { isBroken } from '../broken';
import type { Locate } from '../locate';
import { StatusBoard } from '../status-board';
import { supervisedStatus } from '../supervised-status';
import { MLX_EVIDENCE, type MlxEvidence, mlxExitCause, mlxLaunchSpec } from './launch-spec';
import { type LauncherEvent, type MemEvent, parseLauncherLine } from './launcher-events';
import { MlxClient } from './mlx-client';
import { KnownFacts } from './model-facts';
import { DEFAULT_HANG_LIMITS, type HangLimits, ProgressWatch } from './progress-watch';
import { toCall } from './protocol';
import { Sequences } from './sequences';
import { validate } from './validate';

/** A model on disk under the name that clients use. */
export interface ModelFolder {
  name: string;
  folder: string;
}

export interface MlxBackendOptions {
  /** Where a Python with mlx-lm is. Asked at start, at `relocate` and at each manual restart while absent. */
  locate: Locate;
  /** Path of `resources/mlx/launch.py`. */
  launchScript: string;
  /** The model to load at start; null = none. Asked before each start. */
  preload(): Promise<ModelFolder | null>;
  /** Folder of a model by the name that clients use; null = unknown. */
  resolveModel(name: string): Promise<string | null>;
  listModels(signal?: AbortSignal): Promise<ModelInfo[]>;
  /** Requests at once; read before each start. */
  maxConcurrent(): number;
  /** A model has been loaded in so many seconds. */
  onLoaded?(name: string, seconds: number): void;
  /** Resolves when memory allows a start. */
  mayStart?(signal: AbortSignal): Promise<void>;
  env: Readonly<Record<string, string | undefined>>;
  fetcher: Fetcher;
  post: Poster;
  instanceId: string;
  limits?: Partial<SupervisorLimits>;
  hang?: Partial<HangLimits>;
  /** Ms that a cancelled request may go on computing before the process is killed. */
  drainLimitMs?: number;
}

export const MLX_CAPABILITIES: BackendCapabilities = {
  tools: false,
  images: false,
  jsonSchema: false,
};

const WATCH_EVERY_MS = 1000;
const DRAIN_LIMIT_MS = 10_000;

/** mlx_lm.server as a supervised child process of ours. */
export class MlxBackend implements Backend {
  readonly id = 'mlx';
  readonly capabilities = MLX_CAPABILITIES;
  readonly #options: MlxBackendOptions;
  readonly #ports: SupervisorPorts;
  readonly #client: MlxClient;
  readonly #supervisor: Supervisor;
  readonly #sequences: Sequences;
  readonly #watch: ProgressWatch;
  readonly #board: StatusBoard;
  readonly #ring: LogRing<MlxEvidence>;
  readonly #facts = new KnownFacts();
  readonly #names = new Map<string, string>();
  #python: string | null = null;
  #preload: ModelFolder | null = null;
  #url: string | null = null;
  #startedAt = 0;
  #stopWatch: (() => void) | null = null;
  #drainingSince: number | null = null;
  #count = 0;
  #closed = false;

  readonly onStatus;

  constructor(options: MlxBackendOptions, ports: SupervisorPorts) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#options = options;
    this.#ports = ports;
    this.#client = new MlxClient(options);
    this.#board = new StatusBoard('mlx', limits.maxRestarts);
    this.onStatus = this.#board.onStatus;
    this.#ring = new LogRing(MLX_EVIDENCE, () => ports.clock.now());
    this.#watch = new ProgressWatch({ ...DEFAULT_HANG_LIMITS, ...options.hang });
    this.#sequences = new Sequences(ports.clock, () => this.#onSequences());
    this.#supervisor = new Supervisor(
      {
        kind: 'mlx',
        limits,
        launch: () => this.#launch(),
        onSpawn: (child) => this.#onSpawn(child),
        probe: (signal, onStage) => this.#probe(signal, onStage),
        causeOf: (exit) =>
          mlxExitCause(
            exit,
            this.#ring.evidence(this.#startedAt).map(({ code }) => code),
          ),
        mayStart: (signal) => options.mayStart?.(signal) ?? Promise.resolve(),
      },
      ports,
    );
    this.#supervisor.onChange(() => this.#publish());
  }

  status(): BackendStatus {
    return this.#board.current;
  }

  models(signal?: AbortSignal): Promise<ModelInfo[]> {
    return this.#options.listModels(signal);
  }

  /** Starts the server if its Python is there; else the state is `absent` with the cure. */
  async start(): Promise<void> {
    this.#closed = false;
    if ((await this.#locate()) && !this.#closed) this.#supervisor.start();
  }

  /** Looks again for Python, after the set-up or a long sleep, and starts the server unless it is up. */
  async relocate(): Promise<void> {
    if (!this.#closed && (await this.#locate()) && !this.#closed) this.#supervisor.revive();
  }

  async ensureReady(signal?: AbortSignal): Promise<void> {
    if (this.#closed) throw down();
    if (this.#python === null && !(await this.#locate())) throw this.#absent();
    await this.#supervisor.ensureReady(signal, down);
  }

  async *stream(request: BackendRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    const folder = await this.#options.resolveModel(request.model);
    // An unknown model is never sent: the server would drop the loaded one before it says no.
    if (folder === null) throw unknownModel(request.model);
    this.#names.set(folder, request.model);
    const loadOnly = request.rawPrompt === undefined && request.messages.length === 0;
    const safe = validate(loadOnly ? oneToken(request) : request, await this.#facts.of(folder));
    const url = this.#url;
    if (url === null || this.#supervisor.view().state !== 'ready') throw down();
    const id = `${request.id}.${this.#count++}`;
    this.#sequences.begin(id);
    // At once, not when the connection has noticed: whoever aborted asks `drained` next.
    const leave = () => this.#sequences.leave(id);
    signal.addEventListener('abort', leave, { once: true });
    let finished = false;
    try {
      for await (const chunk of this.#client.complete(url, id, toCall(safe, folder), signal)) {
        if (chunk.type === 'end') finished = true;
        if (!loadOnly) yield chunk;
        else if (chunk.type === 'end') yield { type: 'end', end: { ...chunk.end, reason: 'load' } };
      }
    } catch (error) {
      finished = !signal.aborted;
      if (finished && isBroken(error)) await this.#supervisor.connectionLost();
      throw error;
    } finally {
      signal.removeEventListener('abort', leave);
      if (finished) this.#sequences.end(id);
      else leave();
    }
  }

  async drained(signal?: AbortSignal): Promise<void> {
    // A caller that asks out of its own abort event may be told of it before we are.
    await Promise.resolve();
    await this.#sequences.drained(signal);
  }

  async restart(reason: string): Promise<void> {
    this.#ports.logger.info('mlx.restart', { reason });
    this.#closed = false;
    if (this.#python === null && !(await this.#locate())) return;
    await this.#supervisor.restart();
  }

  async stop(): Promise<void> {
    this.#closed = true;
    await this.#supervisor.stop();
  }

  async #locate(): Promise<boolean> {
    const found = await this.#options.locate();
    this.#python = 'path' in found ? found.path : null;
    if ('path' in found) {
      this.#board.set({ absence: null });
      this.#publish();
    } else if (this.#supervisor.view().pid === null) {
      // A server that runs is there, whatever the set-up is doing to its runtime.
      const { code, cure, setup } = found.absent;
      this.#board.set({
        state: 'absent',
        stage: setup ? 'setup' : 'idle',
        ownership: 'none',
        absence: { code, cure },
      });
    }
    return this.#python !== null;
  }

  #absent(): TandemError {
    const cure = this.#board.current.absence?.cure ?? '';
    return new TandemError('backend_absent', `MLX is not installed. ${cure}`.trim());
  }

  async #launch() {
    // Asked again each time: the set-up may have put a new runtime beside the old one.
    if (!(await this.#locate()) || this.#python === null) throw this.#absent();
    const preload = await this.#options.preload();
    this.#preload = preload;
    if (preload) this.#names.set(preload.folder, preload.name);
    return mlxLaunchSpec({
      python: this.#python,
      script: this.#options.launchScript,
      env: this.#options.env,
      preload: preload?.folder ?? null,
      maxConcurrent: this.#options.maxConcurrent(),
    });
  }

  #onSpawn(child: ChildHandle): void {
    this.#url = null;
    this.#startedAt = this.#ports.clock.now();
    this.#watch.reset();
    this.#board.set({ model: null });
    drainLines(child.stdout, (line) => {
      const event = parseLauncherLine(line);
      if (event) this.#onLauncher(event);
    });
    drainLines(child.stderr, (line) => this.#ring.add(line));
  }

  #onLauncher(event: LauncherEvent): void {
    switch (event.event) {
      case 'listening':
        this.#url = `http://127.0.0.1:${event.port}`;
        this.#board.set({ url: this.#url, version: event.version });
        return;
      case 'loading':
        this.#facts.forget();
        return;
      case 'loaded':
        this.#ports.logger.info('mlx.loaded', { seconds: event.seconds });
        this.#board.set({ model: this.#nameOf(event.model) });
        this.#options.onLoaded?.(this.#nameOf(event.model), event.seconds);
        return;
      case 'load_failed':
        this.#ports.logger.warn('mlx.load-failed', { kind: event.kind });
        this.#board.set({ model: null });
        return;
      case 'sequence':
        this.#sequences.onSequence(event);
        return;
      case 'mem':
        this.#onFigures(event);
        return;
      case 'exit':
        this.#ports.logger.warn('mlx.exit', { code: event.code, reason: event.reason });
        return;
    }
  }

  #onFigures(figures: MemEvent): void {
    this.#watch.onFigures(figures, this.#ports.clock.now());
    this.#sequences.onFigures(figures);
    // 0 is how the launcher says that the OS told nothing.
    this.#board.set({ memoryBytes: figures.footprint || figures.rss || null });
  }

  /** A real one-token answer: `/health` is 200 while the model loads, and while generation hangs. */
  async #probe(signal: AbortSignal, onStage: (stage: 'loading' | 'probing') => void): Promise<void> {
    const { clock } = this.#ports;
    await pollUntil(async () => this.#url !== null, 20, clock, signal);
    const url = this.#url ?? '';
    if (!(await this.#client.healthy(url, signal))) throw down();
    if (this.#preload === null) return;
    const { name, folder } = this.#preload;
    await pollUntil(async () => this.#board.current.model !== null, 20, clock, signal);
    onStage('probing');
    const call = toCall(validate(oneToken({ model: name }), await this.#facts.of(folder)), folder);
    for await (const chunk of this.#client.complete(url, `probe.${this.#count++}`, call, signal)) {
      if (chunk.type === 'end') return;
    }
  }

  /** Watches progress only while somebody waits for it, so that an idle server costs no timer. */
  #onSequences(): void {
    const { open, draining } = this.#sequences;
    this.#watch.hung(this.#ports.clock.now(), open);
    if (draining === 0) this.#drainingSince = null;
    else this.#drainingSince ??= this.#ports.clock.now();
    if (open + draining === 0) {
      this.#stopWatch?.();
      this.#stopWatch = null;
    } else {
      this.#stopWatch ??= this.#ports.clock.every(WATCH_EVERY_MS, () => this.#checkProgress());
    }
    this.#publish();
  }

  #checkProgress(): void {
    const now = this.#ports.clock.now();
    const limit = this.#watch.drainLimitMs(this.#options.drainLimitMs ?? DRAIN_LIMIT_MS);
    const drainHung = this.#drainingSince !== null && now - this.#drainingSince > limit;
    if (drainHung || this.#watch.hung(now, this.#sequences.open)) this.#supervisor.reportHung();
  }

  #publish(): void {
    const view = this.#supervisor.view();
    const { open, draining } = this.#sequences;
    if (view.pid === null) this.#sequences.clear();
    if (this.#python === null && view.pid === null) return;
    this.#board.set(supervisedStatus(view, 'MLX', open, draining));
  }

  #nameOf(folder: string): string {
    return this.#names.get(folder) ?? basename(folder);
  }
}

function oneToken(request: Pick<BackendRequest, 'model'>): BackendRequest {
  return {
    id: 'probe',
    model: request.model,
    messages: [{ role: 'user', content: 'hi' }],
    sampling: { maxTokens: 1, temperature: 0 },
  };
}

function down(): TandemError {
  return new TandemError('mlx_down', 'MLX is not running; it restarts by itself, or press Restart MLX.');
}

function unknownModel(name: string): TandemError {
  return new TandemError('model_not_found', `model '${name}' not found`, { details: { model: name } });
}
