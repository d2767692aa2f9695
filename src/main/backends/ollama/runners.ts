import { type Clock, sleep } from '../../ports/clock';
import type { ProcessIdentity, ProcessTable } from '../../ports/spawner';
import type { Pulse } from '../watch/pulse';

const END_MS = 3000;
const END_LOOK_MS = 50;
/** Longest wait for a cancelled prompt. */
const IDLE_LIMIT_MS = 60_000;
const IDLE_LOOK_MS = 200;
/** This many checks in a row must find the processors idle. */
const IDLE_LOOKS = 2;
/** Below this share of one processor a process counts as idle. */
const IDLE_SHARE = 0.2;

/**
 * The processes that a server on this machine has started for its models: `ollama runner` up to 0.2x, `llama-server` from 0.30. They
 * are found by descent alone, because names and arguments differ; both generations are plain children of the server.
 */
export class Runners {
  readonly #table: ProcessTable;
  readonly #clock: Clock;
  readonly #serverPid: () => number | null;

  constructor(table: ProcessTable, clock: Clock, serverPid: () => number | null) {
    this.#table = table;
    this.#clock = clock;
    this.#serverPid = serverPid;
  }

  /** Null while no server is known. */
  async pulse(): Promise<Pulse | null> {
    const server = this.#serverPid();
    if (server === null) return null;
    const pids = await this.#table.descendants(server);
    const found = await Promise.all(
      pids.map(async (pid) => {
        const [identity, cpuMs] = await Promise.all([this.#table.identify(pid), this.#table.cpuMs(pid)]);
        return identity && { ...identity, cpuMs: cpuMs ?? 0 };
      }),
    );
    return found.filter((runner) => runner !== null);
  }

  /** Does one of them compute with Ollama's own MLX engine? False while no server is known. */
  async useMlxEngine(): Promise<boolean> {
    const server = this.#serverPid();
    if (server === null) return false;
    const pids = await this.#table.descendants(server);
    const lines = await Promise.all(pids.map((pid) => this.#table.commandLine(pid)));
    return lines.some((line) => line?.split(' ').includes('--mlx-engine'));
  }

  /** Kills these by pid and start time. Resolves true when none is left. */
  async kill(runners: readonly ProcessIdentity[]): Promise<boolean> {
    await Promise.all(runners.map((runner) => this.#table.signal(runner, 'SIGKILL')));
    return (await this.#ended(runners, runners.length)) === runners.length;
  }

  /** Has somebody paused one of these, or their server? */
  async anySuspended(runners: readonly ProcessIdentity[]): Promise<boolean> {
    const server = this.#serverPid();
    const pids = [...runners.map(({ pid }) => pid), ...(server === null ? [] : [server])];
    return (await Promise.all(pids.map((pid) => this.#table.isSuspended(pid)))).includes(true);
  }

  /** Waits briefly until at least one of these has ended. */
  async anyEnded(runners: readonly ProcessIdentity[]): Promise<boolean> {
    return (await this.#ended(runners, 1)) > 0;
  }

  async #ended(runners: readonly ProcessIdentity[], wanted: number): Promise<number> {
    const giveUp = this.#clock.now() + END_MS;
    for (;;) {
      const now = await Promise.all(runners.map(({ pid }) => this.#table.identify(pid)));
      const ended = runners.filter((runner, index) => now[index]?.startedAt !== runner.startedAt).length;
      if (ended >= Math.min(wanted, runners.length) || this.#clock.now() >= giveUp) return ended;
      await sleep(this.#clock, END_LOOK_MS);
    }
  }

  /**
   * Resolves when they compute nothing any more, or when `enough` returns true; after 60 s at the latest, and at once
   * without a server.
   * On a Mac the GPU computes, and the process uses the CPU only between two batches of a prompt; it is unproven that
   * this counts as busy here.
   */
  async idle(enough: () => boolean): Promise<void> {
    const giveUp = this.#clock.now() + IDLE_LIMIT_MS;
    let before = await this.pulse();
    for (let looks = 0; before && before.length > 0 && looks < IDLE_LOOKS && !enough(); ) {
      const at = this.#clock.now();
      if (at >= giveUp) return;
      await sleep(this.#clock, IDLE_LOOK_MS);
      const now = await this.pulse();
      if (!now) return;
      const used = cpuOf(now) - cpuOf(before);
      looks = used < (this.#clock.now() - at) * IDLE_SHARE ? looks + 1 : 0;
      before = now;
    }
  }
}

function cpuOf(pulse: Pulse): number {
  return pulse.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}
