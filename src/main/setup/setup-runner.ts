import { createInterface } from 'node:readline';
import { type SetupPart, setupPartSchema } from '../../shared/status';
import { Emitter } from '../ports/emitter';
import type { Logger } from '../ports/logger';
import type { ChildHandle, Spawner } from '../ports/spawner';

export interface SetupRunnerOptions {
  spawner: Spawner;
  logger: Logger;
  /** The Node executable, and the script to run with it. */
  node: string;
  script: string;
  args: readonly string[];
  env: Record<string, string>;
  /** The parts that are to be had; asked at each run. */
  wanted: () => readonly PartName[];
}

type PartName = SetupPart['part'];

/**
 * Runs `resources/setup/runtimes.js`, which finds or makes the runtimes, and tells its progress. It is a child of
 * its own so that the app is usable (and quittable) while Ollama is being built.
 */
export class SetupRunner {
  readonly #options: SetupRunnerOptions;
  readonly #parts = new Map<PartName, SetupPart>();
  readonly #progress = new Emitter<SetupPart>();
  readonly #settled = new Emitter<SetupPart>();
  #child: ChildHandle | null = null;
  #run: { parts: readonly PartName[]; done: Promise<void> } | null = null;
  #stopped = false;

  readonly onProgress = this.#progress.subscribe;
  /** A part is ready, absent or failed. */
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

  /** Marks a part whose runtime has been removed, until the set-up runs again. */
  forget(name: PartName): void {
    this.#tell({
      part: name,
      stage: 'absent',
      detail: 'removed',
      percent: null,
      elapsedMs: 0,
      code: 'runtime_removed',
      cure: 'Its runtime was removed. Set it up again in Settings, or start Tandem again.',
    });
  }

  /**
   * Runs the set-up once; a call while it runs joins it, and has what that one leaves out set up after it. Resolves when
   * every wanted part has settled, never rejects.
   */
  run(): Promise<void> {
    return this.#begin(this.#options.wanted());
  }

  /** Sets up, after the set-up that is running, what is wanted by now and was not before. Never rejects. */
  async runMissing(): Promise<void> {
    await this.#run?.done;
    const missing = this.#options.wanted().filter((name) => !this.#parts.has(name));
    if (missing.length > 0) await this.#begin(missing);
  }

  /** Ends a running set-up for good; what is half built is cleaned by that of the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const child = this.#child;
    if (!child) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
    await child.exited;
    clearTimeout(timer);
  }

  #begin(parts: readonly PartName[]): Promise<void> {
    if (this.#stopped || parts.length === 0) return Promise.resolve();
    this.#run ??= { parts, done: this.#supervise(parts) };
    const { parts: underWay, done } = this.#run;
    const rest = parts.filter((name) => !underWay.includes(name));
    return rest.length === 0 ? done : done.then(() => this.#begin(rest));
  }

  async #supervise(parts: readonly PartName[]): Promise<void> {
    try {
      await this.#start(parts);
    } catch (error) {
      this.#failUnsettled(parts, String(error));
    } finally {
      this.#run = null;
      this.#child = null;
    }
  }

  async #start(parts: readonly PartName[]): Promise<void> {
    const { spawner, node, script, args, env, logger } = this.#options;
    const [first, second] = parts;
    const only = first !== undefined && second === undefined ? ['--only', first] : [];
    const child = spawner.spawn({ command: node, args: [script, '--json', ...only, ...args], env });
    this.#child = child;
    child.stderr?.resume();
    if (child.stdout) {
      for await (const line of createInterface({ input: child.stdout })) this.#line(line);
    }
    const exit = await child.exited;
    if (exit.code !== 0) logger.warn('setup-ended', { code: exit.code, signal: exit.signal });
    this.#failUnsettled(parts, exit.error?.message ?? `the set-up ended with ${exit.code ?? exit.signal}`);
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
    this.#parts.set(part.part, part);
    this.#progress.emit(part);
    if (isSettled(part)) this.#settled.emit(part);
  }

  /** A set-up that died before its last word leaves no part waiting for ever. */
  #failUnsettled(parts: readonly PartName[], detail: string): void {
    for (const name of parts) {
      const part = this.#parts.get(name);
      if (part && isSettled(part)) continue;
      this.#tell({
        part: name,
        stage: 'failed',
        detail,
        percent: null,
        elapsedMs: part?.elapsedMs ?? 0,
        code: 'runtime_broken',
        cure: 'Try the set-up again; `npm start -- --check` tells what is missing.',
      });
    }
  }
}

function isSettled(part: SetupPart): boolean {
  return part.stage === 'ready' || part.stage === 'absent' || part.stage === 'failed';
}
