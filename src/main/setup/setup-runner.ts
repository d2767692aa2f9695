import { createInterface } from 'node:readline';
import { type SetupPart, setupPartSchema } from '../../shared/status';
import { Emitter } from '../ports/emitter';
import type { Logger } from '../ports/logger';
import type { ChildHandle, LaunchSpec, Spawner } from '../ports/spawner';

export interface SetupRunnerOptions {
  spawner: Spawner;
  logger: Logger;
  /** The Node executable, and the script to run with it. */
  node: string;
  script: string;
  args: readonly string[];
  env: LaunchSpec['env'];
  /** The parts to set up; called for each run. */
  wanted: () => readonly PartName[];
}

type PartName = SetupPart['part'];

interface Run {
  child: ChildHandle | null;
  cancelled: boolean;
  /** Another caller requested it during this run: what was missing may be available now. */
  askedAgain: boolean;
  /** Resolves when it is cancelled. */
  cancellation: Promise<void>;
  cancel: () => void;
  done: Promise<void>;
}

/**
 * Runs `resources/setup/runtimes.js`, which finds or builds the runtimes, and reports progress. Each part is a child of
 * its own, so the app stays usable (and quittable) while Ollama is being built, and one part can be cancelled.
 */
export class SetupRunner {
  readonly #options: SetupRunnerOptions;
  readonly #parts = new Map<PartName, SetupPart>();
  readonly #progress = new Emitter<SetupPart>();
  readonly #settled = new Emitter<SetupPart>();
  readonly #runs = new Map<PartName, Run>();
  /** The small model was last set up without MLX, which has to convert it. */
  #modelLacksMlx = false;
  #stopped = false;

  readonly onProgress = this.#progress.subscribe;
  /** Emitted when a part is ready, absent or failed, or has an older version to use while the new one is built. */
  readonly onSettled = this.#settled.subscribe;

  constructor(options: SetupRunnerOptions) {
    this.#options = { ...options, logger: options.logger.child('setup') };
  }

  parts(): SetupPart[] {
    return [...this.#parts.values()];
  }

  part(name: PartName): SetupPart | null {
    return this.#parts.get(name) ?? null;
  }

  /** Is no run going on that could still provide this part? */
  isSettled(name: PartName): boolean {
    const part = this.part(name);
    return part !== null && isSettled(part);
  }

  /** Marks a part as removed until the set-up runs again. */
  forget(name: PartName): void {
    this.#tell({
      ...ended(name, 'removed'),
      stage: 'absent',
      code: 'runtime_removed',
      cure: 'Its runtime was removed. Set it up again in Settings, or start Tandem again.',
    });
  }

  /**
   * Sets up these parts, by default all wanted ones. A call while one of them runs joins that run, and runs the part
   * again if it does not become ready. Resolves when all have settled, never rejects.
   */
  async run(parts: readonly PartName[] = this.#options.wanted()): Promise<void> {
    // The small model comes after MLX, which converts it; it does not wait for Ollama.
    const ordered = [...parts].sort((a, b) => Number(a === 'model') - Number(b === 'model'));
    await Promise.all(ordered.map((name) => this.#begin(name)));
  }

  /** Sets up the parts that are wanted now but were not before. Never rejects. */
  runMissing(): Promise<void> {
    return this.run(this.#options.wanted().filter((name) => !this.#parts.has(name)));
  }

  /** Cancels the set-up of one part, which is then absent; downloads are kept for the next run. Never rejects. */
  async cancel(name: PartName): Promise<void> {
    const run = this.#runs.get(name);
    if (!run) return;
    run.cancelled = true;
    run.cancel();
    if (run.child) await end(run.child);
    await run.done;
  }

  /** Resolves when no run for this part is going on. */
  async done(name: PartName): Promise<void> {
    await this.#runs.get(name)?.done;
  }

  /** Ends a running set-up for good; the next start continues or removes what is half built. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const children = [...this.#runs.values()].flatMap(({ child }) => (child ? [child] : []));
    await Promise.all(children.map(end));
  }

  #begin(name: PartName): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    const running = this.#runs.get(name);
    if (running) {
      running.askedAgain = true;
      return running.done;
    }
    const { promise: cancellation, resolve: cancel } = Promise.withResolvers<void>();
    const run: Run = {
      child: null,
      cancelled: false,
      askedAgain: false,
      cancellation,
      cancel,
      done: Promise.resolve(),
    };
    this.#runs.set(name, run);
    run.done = this.#supervise(name, run);
    return run.done;
  }

  async #supervise(name: PartName, run: Run): Promise<void> {
    let detail: string;
    try {
      if (name === 'model') await Promise.race([this.#runs.get('mlx')?.done, run.cancellation]);
      detail = run.cancelled || this.#stopped ? 'cancelled' : await this.#start(name, run);
    } catch (error) {
      detail = String(error);
    }
    this.#runs.delete(name);
    this.#endUnsettled(name, run, detail);
    if (run.askedAgain && !run.cancelled && !this.#isReady(name)) await this.#begin(name);
    if (this.#modelLacksMlx && this.#isReady('mlx') && this.#options.wanted().includes('model')) {
      void this.#begin('model');
    }
  }

  #isReady(name: PartName): boolean {
    return this.part(name)?.stage === 'ready';
  }

  /** Resolves with a description of how the script ended. */
  async #start(name: PartName, run: Run): Promise<string> {
    const { spawner, node, script, args, env, logger } = this.#options;
    if (name === 'model') this.#modelLacksMlx = !this.#isReady('mlx');
    // The part is no longer settled.
    this.#parts.delete(name);
    const child = spawner.spawn({ command: node, args: [script, '--json', '--only', name, ...args], env });
    run.child = child;
    child.stderr?.resume();
    if (child.stdout) {
      for await (const line of createInterface({ input: child.stdout })) this.#line(line);
    }
    const exit = await child.exited;
    if (exit.code !== 0) logger.warn('setup-ended', { part: name, code: exit.code, signal: exit.signal });
    return exit.error?.message ?? `the set-up ended with ${exit.code ?? exit.signal}`;
  }

  #line(line: string): void {
    if (!line.startsWith('{')) return;
    let part: SetupPart;
    try {
      part = setupPartSchema.parse(JSON.parse(line));
    } catch {
      this.#options.logger.warn('setup-line', { length: line.length });
      return;
    }
    this.#tell(part);
  }

  #tell(part: SetupPart): void {
    const before = this.#parts.get(part.part)?.path;
    this.#parts.set(part.part, part);
    this.#progress.emit(part);
    if (isSettled(part) || (part.path !== undefined && part.path !== before)) this.#settled.emit(part);
  }

  /** If the set-up ends without a final report, marks its part as failed (or absent), so that nothing waits forever. */
  #endUnsettled(name: PartName, { cancelled }: Run, detail: string): void {
    if (this.isSettled(name)) return;
    const { elapsedMs = 0 } = this.part(name) ?? {};
    const cure = 'Try the set-up again; `npm start -- --check` tells what is missing.';
    this.#tell(
      cancelled
        ? {
            ...ended(name, 'cancelled', elapsedMs),
            stage: 'absent',
            code: 'setup_cancelled',
            cure: 'It was cancelled. Try again to go on; else it goes on at the next start.',
          }
        : { ...ended(name, detail, elapsedMs), stage: 'failed', code: 'runtime_broken', cure },
    );
  }
}

function ended(part: PartName, detail: string, elapsedMs = 0) {
  return { part, detail, percent: null, elapsedMs };
}

async function end(child: ChildHandle): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await child.exited;
  clearTimeout(timer);
}

function isSettled(part: SetupPart): boolean {
  return part.stage === 'ready' || part.stage === 'absent' || part.stage === 'failed';
}
