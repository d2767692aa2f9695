import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Logger } from './logger';
import type { ChildHandle, LaunchSpec, Spawner } from './spawner';

/**
 * A spawner whose processes end with this one, also after `kill -9`, which leaves us no time to end them. A second
 * process (`resources/parent-watch.sh`) ends their groups when the pipe to it closes. It is a shell script because
 * nothing smaller exists on every machine; it receives only numbers. Without it the next start ends what is left.
 */
export class ParentWatch implements Spawner {
  readonly #spawner: Spawner;
  readonly #script: string;
  readonly #logger: Logger;
  #watch: ChildProcess | null = null;

  constructor(spawner: Spawner, script: string, logger: Logger) {
    this.#spawner = spawner;
    this.#script = script;
    this.#logger = logger;
  }

  spawn(spec: LaunchSpec): ChildHandle {
    const child = this.#spawner.spawn(spec);
    if (child.pid === undefined) return child;
    this.#tell(`+ ${child.pid}`);
    void child.exited.then(() => this.#tell(`- ${child.pid}`));
    return child;
  }

  /** Resolves when the watch process has ended; call it after the watched processes have ended. */
  async close(): Promise<void> {
    const watch = this.#watch;
    if (!watch) return;
    // Otherwise Node would exit before the watch does.
    watch.ref();
    watch.stdin?.end();
    if (watch.pid !== undefined && watch.exitCode === null && watch.signalCode === null)
      await once(watch, 'exit');
  }

  #tell(line: string): void {
    this.#watch ??= this.#start();
    this.#watch.stdin?.write(`${line}\n`);
  }

  #start(): ChildProcess {
    const watch = spawn('/bin/sh', [this.#script], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
      detached: true,
    });
    watch.once('error', (error) => this.#logger.warn('parent-watch', { error }));
    watch.stdin?.on('error', () => {});
    watch.unref();
    (watch.stdin as Socket | null)?.unref();
    return watch;
  }
}
