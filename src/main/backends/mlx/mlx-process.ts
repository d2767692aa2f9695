import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import type { ExitCause, HangLimitsView } from '../../../shared/incidents';
import type { ChildHandle, LaunchSpec } from '../../ports/spawner';
import { type EvidenceCode, MLX_LINES } from '../../supervisor/evidence-lines';
import type { SupervisorLimits } from '../../supervisor/limits';
import { drainLines, LogRing } from '../../supervisor/log-ring';
import { Supervisor, type SupervisorPorts } from '../../supervisor/supervisor';
import type { StatusBoard } from '../status-board';
import { DEFAULT_HANG_LIMITS, type HangLimits, limitsFor } from './hang-limits';
import type { LadderKeeper } from './ladder-keeper';
import { mlxExitCode } from './launch-spec';
import { type LauncherEvent, type MemEvent, parseLauncherLine } from './launcher-events';
import { LearnedSteps } from './learned-steps';
import type { MlxAddress, MlxClient } from './mlx-client';
import { MlxMemory } from './mlx-memory';
import type { MlxBackendOptions, ModelFolder } from './mlx-options';
import { KnownFacts } from './model-facts';
import { ProgressGuard } from './progress-guard';
import { ReadyProbe } from './ready-probe';
import { Sequences } from './sequences';

/** An older line does not explain the exit, because the server ran on after it. */
const LAST_WORDS_MS = 120_000;

/** What to start, and the model that it preloads. */
export interface Launch {
  spec: LaunchSpec;
  preload: ModelFolder | null;
}

export interface MlxProcessOptions
  extends Pick<MlxBackendOptions, 'modelFacts' | 'onLoaded' | 'mayStart' | 'hang' | 'steps' | 'isHeavy'> {
  limits(): SupervisorLimits;
  client: MlxClient;
  ladder: LadderKeeper;
  /** Receives what the launcher reports: address, version, model, memory. */
  board: StatusBoard;
  /** Is its Python found? */
  locate(): Promise<boolean>;
  /** Null = its Python is missing. */
  launch(): Promise<Launch | null>;
  /** The process or its sequences have changed. */
  onChange(): void;
}

/** mlx_lm.server as a supervised child: readiness, launcher events, and hangs. */
export class MlxProcess {
  readonly supervisor: Supervisor;
  readonly sequences: Sequences;
  readonly facts: KnownFacts;
  readonly memory: MlxMemory;
  readonly #options: MlxProcessOptions;
  readonly #ports: SupervisorPorts;
  readonly #guard: ProgressGuard;
  readonly #probe: ReadyProbe;
  readonly #limits: HangLimits;
  readonly #steps: LearnedSteps;
  readonly #ring: LogRing<EvidenceCode>;
  readonly #names = new Map<string, string>();
  #preload: ModelFolder | null = null;
  #address: MlxAddress | null = null;
  #secret = '';
  #startedAt = 0;
  /** What the last process held when it died. */
  #died: { model: string | null; peakBytes: number | null } = { model: null, peakBytes: null };

  constructor(options: MlxProcessOptions, ports: SupervisorPorts) {
    const { clock } = ports;
    this.#options = options;
    this.#ports = ports;
    this.facts = new KnownFacts(options.modelFacts);
    this.#ring = new LogRing(MLX_LINES, () => clock.now());
    this.#limits = { ...DEFAULT_HANG_LIMITS, ...options.hang };
    this.memory = new MlxMemory(clock, () => options.board.current);
    this.#steps = new LearnedSteps(options.steps);
    this.sequences = new Sequences(clock, () => {
      this.#guard.onSequences();
      options.onChange();
    });
    this.#guard = new ProgressGuard({
      ...{ clock, sequences: this.sequences, limits: this.#limits },
      limitsNow: () => this.hangLimits(),
      onHung: (hang) => {
        ports.logger.warn('mlx.hung', { hang, ...this.hangLimits() });
        void this.supervisor.endHung();
      },
    });
    this.#probe = new ReadyProbe({
      ...{ clock, client: options.client, facts: this.facts },
      silenceMs: this.#limits.loadingSilenceMs,
      stepMs: () => this.hangLimits().stepMs,
      address: () => this.#address,
      preload: () => this.#preload,
      hasLoaded: () => options.board.current.model !== null,
    });
    this.supervisor = new Supervisor(
      {
        kind: 'mlx',
        limits: options.limits,
        locate: options.locate,
        launch: () => this.#launch(),
        onSpawn: (child) => this.#onSpawn(child),
        probe: (signal, onStage) => this.#probe.run(signal, onStage),
        readExit: ({ code }) => ({
          named: mlxExitCode(code),
          lines: this.#ring
            .evidence(Math.max(this.#startedAt, clock.now() - LAST_WORDS_MS))
            .map((line) => line.code),
        }),
        mayStart: (signal, cause) =>
          options.mayStart?.(signal, cause, this.#preload && options.ladder.next()) ?? Promise.resolve(),
        mayRecover: (cause) => this.#mayRecover(cause),
      },
      ports,
    );
    this.supervisor.onChange(() => {
      const { pid, state } = this.supervisor.view();
      if (pid === null) {
        this.sequences.clear();
        this.memory.reset();
      }
      if (state === 'ready') options.ladder.up();
      else options.ladder.down();
      options.onChange();
    });
  }

  /** Null until it listens. */
  get address(): MlxAddress | null {
    return this.#address;
  }

  /** Stores the name that clients use for the model in a folder. */
  nameModel({ name, folder }: ModelFolder): void {
    this.#names.set(folder, name);
  }

  /** Limits of silence and of a step after which the server counts as hung, for the current model. */
  hangLimits(): HangLimitsView {
    const { model } = this.#options.board.current;
    const heavy = model !== null && (this.#options.isHeavy?.(model) ?? false);
    return limitsFor(model === null ? null : this.#steps.slowestMs(model), heavy, this.#limits);
  }

  /** A frame of one of our requests has arrived. */
  onFrame(id: string): void {
    this.sequences.handOver(id);
    this.#guard.onFrame();
  }

  /** The cause of the last death became known: its lower limits apply from the next start on. */
  explained(cause: ExitCause): void {
    const { ladder, onChange } = this.#options;
    ladder.explained(cause, this.#died.model, this.#died.peakBytes);
    if (this.supervisor.view().state === 'ready') ladder.up();
    onChange();
  }

  async #launch(): Promise<LaunchSpec | null> {
    const launch = await this.#options.launch();
    if (launch === null) return null;
    const { spec, preload } = launch;
    this.#preload = preload;
    if (preload) this.nameModel(preload);
    this.#secret = randomBytes(24).toString('base64url');
    return { ...spec, env: { ...spec.env, TANDEM_MLX_SECRET: this.#secret } };
  }

  #onSpawn(child: ChildHandle): void {
    this.#address = null;
    this.#probe.onLine();
    this.memory.reset();
    this.#startedAt = this.#ports.clock.now();
    this.#guard.reset();
    this.#options.board.set({ model: null });
    drainLines(child.stdout, (line) => {
      const event = parseLauncherLine(line);
      if (event) this.#onLauncher(event);
    });
    drainLines(child.stderr, (line) => this.#ring.add(line));
  }

  #onLauncher(event: LauncherEvent): void {
    const { board, onLoaded, onChange } = this.#options;
    this.#probe.onLine();
    this.#guard.onLauncher(event);
    this.memory.onLauncher(event, (folder) => this.#nameOf(folder));
    switch (event.event) {
      case 'limits':
      case 'wiring': {
        const { event: name, ...figures } = event;
        this.#ports.logger.info(`mlx.${name}`, figures);
        return;
      }
      case 'listening':
        this.#address = { url: `http://127.0.0.1:${event.port}`, secret: this.#secret };
        board.set({ url: this.#address.url, version: event.version });
        return;
      case 'loading':
        this.facts.forget();
        return;
      case 'loaded':
        this.#ports.logger.info('mlx.loaded', { seconds: event.seconds });
        board.set({ model: this.#nameOf(event.model) });
        onLoaded?.(this.#nameOf(event.model), event.seconds);
        onChange();
        return;
      case 'load_failed':
        this.#ports.logger.warn('mlx.load-failed', { kind: event.kind });
        board.set({ model: null });
        return;
      case 'sequence':
        this.sequences.onSequence(event);
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
    this.sequences.onFigures(figures);
    const { model } = this.#options.board.current;
    if (model !== null) this.#steps.learn(model, figures.step_ms, figures.step_tokens);
    // The launcher writes 0 when the OS reports nothing.
    this.#options.board.set({ memoryBytes: figures.footprint || figures.rss || null });
  }

  #mayRecover(cause: ExitCause): boolean {
    // The process may exit before it reports the load of its preload model.
    const model = this.memory.model() ?? this.#preload?.name ?? null;
    this.#died = { model, peakBytes: this.memory.peakBytes() };
    return this.#options.ladder.exited(cause, model, this.#died.peakBytes);
  }

  #nameOf(folder: string): string {
    return this.#names.get(folder) ?? basename(folder);
  }
}
