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
}

/**
 * Runs `resources/setup/runtimes.js`, which finds or makes the runtimes, and tells its progress. It is a child of
 * its own so that the app is usable (and quittable) while Ollama is being built.
 */
export class SetupRunner {
  readonly #options: SetupRunnerOptions;
  readonly #parts = new Map<SetupPart['part'], SetupPart>();
  readonly #progress = new Emitter<SetupPart>();
  readonly #settled = new Emitter<SetupPart>();
  #child: ChildHandle | null = null;
  #run: Promise<void> | null = null;

  readonly onProgress = this.#progress.subscribe;
  /** A part is ready, absent or failed. */
  readonly onSettled = this.#settled.subscribe;

  constructor(options: SetupRunnerOptions) {
    this.#options = { ...options, logger: options.logger.child('setup') };
  }

  parts(): SetupPart[] {
    return [...this.#parts.values()];
  }

  part(name: SetupPart['part']): SetupPart | null {
    return this.#parts.get(name) ?? null;
  }

  /** Marks a part whose runtime has been removed, until the set-up runs again. */
  forget(name: SetupPart['part']): void {
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

  /** Runs the set-up once; a call while it runs joins it. Resolves when every part has settled, never rejects. */
  run(): Promise<void> {
    this.#run ??= this.#start()
      .catch((error) => this.#failUnsettled(String(error)))
      .finally(() => {
        this.#run = null;
        this.#child = null;
      });
    return this.#run;
  }

  /** Ends a running set-up; what is half built is cleaned by the next one. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
    await child.exited;
    clearTimeout(timer);
  }

  async #start(): Promise<void> {
    const { spawner, node, script, args, env, logger } = this.#options;
    const child = spawner.spawn({ command: node, args: [script, '--json', ...args], env });
    this.#child = child;
    child.stderr?.resume();
    if (child.stdout) {
      for await (const line of createInterface({ input: child.stdout })) this.#line(line);
    }
    const exit = await child.exited;
    if (exit.code !== 0) logger.warn('setup-ended', { code: exit.code, signal: exit.signal });
    this.#failUnsettled(exit.error?.message ?? `the set-up ended with ${exit.code ?? exit.signal}`);
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
  #failUnsettled(detail: string): void {
    for (const name of ['mlx', 'ollama'] as const) {
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
