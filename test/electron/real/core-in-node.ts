import { type ChildProcess, spawn } from 'node:child_process';
import type { Core } from '../../../src/main/core/core-types';
import type { Shell } from '../../../src/main/core/place';
import type { RunningCore } from '../../../src/main/electron/shell';
import { Emitter } from '../../../src/main/ports/emitter';
import { silentLogger } from '../../../src/main/ports/logger';
import { contract, type Envelope, type Handlers, type Push } from '../../../src/shared/contract';
import { type ErrorCode, TandemError, type TandemErrorOptions } from '../../../src/shared/errors';
import type { FromCore, Question, ToCore } from './wire';

/** The core in a process of its own, as the shell uses it. */
class CoreInNode {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #shell: Shell;
  readonly #waiting = new Map<number, (outcome: Envelope<unknown>) => void>();
  readonly #pushes = new Emitter<Push>();
  #questions = 0;

  constructor(child: ChildProcess, shell: Shell) {
    this.#child = child;
    this.#shell = shell;
    this.#exited = new Promise<unknown>((settle) => {
      child.once('exit', settle);
      // It could not be started.
      child.once('error', settle);
    }).then(() => this.#lose());
    child.on('message', (message) => this.#onMessage(message as FromCore));
  }

  /** Rejects with the error of the core, or with `internal` if its process has ended. */
  async ask(question: Question): Promise<unknown> {
    const outcome = await new Promise<Envelope<unknown>>((settle) => {
      this.#questions += 1;
      this.#waiting.set(this.#questions, settle);
      const message: ToCore = { ...question, id: this.#questions };
      this.#child.send(message, (error) => {
        if (error) this.#lose();
      });
    });
    if (outcome.ok) return outcome.value;
    const { code, message, details } = outcome.error;
    throw new TandemError(code as ErrorCode, message, { details: details as TandemErrorOptions['details'] });
  }

  running(): RunningCore {
    const call = (name: string) => (input: unknown, caller: Parameters<Handlers['snapshot']>[1]) =>
      this.ask({ ask: 'call', name, input, caller });
    const core: Pick<Core, 'handlers' | 'onPush' | 'start' | 'resume'> = {
      handlers: Object.fromEntries(
        Object.keys(contract.calls).map((name) => [name, call(name)]),
      ) as unknown as Handlers,
      onPush: this.#pushes.subscribe,
      start: async () => void (await this.ask({ ask: 'start' })),
      resume: () => void this.ask({ ask: 'resume' }),
    };
    return {
      // It has what the shell uses of a core.
      core: core as Core,
      logger: silentLogger,
      close: async () => {
        await this.ask({ ask: 'close' }).catch(() => {});
        await this.#exited;
      },
    };
  }

  #onMessage(message: FromCore): void {
    if (message.is === 'answer') {
      this.#waiting.get(message.id)?.(message.outcome);
      this.#waiting.delete(message.id);
    } else if (message.is === 'push') this.#pushes.emit(message.push);
    else if (message.is === 'showFolder') void this.#shell.showFolder(message.path).catch(() => {});
    else if (message.is === 'openExternal') void this.#shell.openExternal(message.url).catch(() => {});
    else this.#shell[message.is]();
  }

  #lose(): void {
    const error = { code: 'internal', message: 'The process of the core has ended.', details: {} };
    for (const settle of this.#waiting.values()) settle({ ok: false, error });
    this.#waiting.clear();
  }
}

/** Assembles the core in a new process of `node`. Rejects as `assemble` does. */
export async function assembleInNode(
  { node, script }: { node: string; script: string },
  shell: Shell,
  locale: string,
): Promise<RunningCore> {
  const core = new CoreInNode(
    spawn(node, [script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
    shell,
  );
  await core.ask({ ask: 'assemble', locale });
  return core.running();
}
