import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type App, type Health, PATIENCE_MS, startApp, until } from '../../support/app.ts';
import { connect } from '../../support/contract-client.ts';
import { createOllamaModel, MODEL, withoutSmallModel, writeMlxModel } from '../../support/counting-model.ts';
import { livingOf, processesOf } from '../../support/processes.ts';
import { askGateway } from './clients.ts';
import { Load } from './load.ts';
import { type OwnOllama, startOwnOllama } from './own-ollama.ts';
import { type FaultProxy, startFaultProxy } from './proxy.ts';
import type { Sent } from './requests.ts';

export type Target = 'mlx' | 'ollama';

const SUPPORT = resolve(import.meta.dirname, '../../support');
/** Ms per token of the paced model. */
const PACE_MS = 20;
/** Pause of the clients between two requests; longer where most of the run is waiting. */
const PAUSE_MS = 150;
const SHIPPED_PAUSE_MS = 5000;
/** With the shipped backoff: the longest delay, a probe and a start. */
const SHIPPED_UP_MS = 900_000;
/** In a prompt it makes MLX die; no other prompt contains it. */
export const DEADLY = 'KILLER-WORD';

export interface WorldOptions {
  dir: string;
  /** `proxied`: the app uses an Ollama of the benchmark behind a proxy that can break answers; else it runs its own. */
  mode: 'managed' | 'proxied';
  /** Shipped values of backoff and stable time instead of short ones. */
  shipped: boolean;
  /** Tokens of each full answer. */
  words: number;
  /** The data folder is on its own small file system, which can fill up. */
  smallDisk: boolean;
  onSent: (sent: Sent) => void;
  /** Seconds from a fault of this kind until MLX accepted requests again. */
  onBack: (kind: string, seconds: number) => void;
  /** Ms from the exit event of MLX to the arrival of the replayed request at an idle Ollama. */
  onHandover: (ms: number) => void;
}

/** The app with both real servers and the load on it, and the means to break them. */
export class World {
  readonly options: WorldOptions;
  readonly load: Load;
  readonly proxy: FaultProxy | null;
  readonly #own: OwnOllama | null;
  readonly #seen = new Set<number>();
  #app: App;
  /** How often Restart was pressed because a breaker was open. */
  presses = 0;

  private constructor(options: WorldOptions, app: App, own: OwnOllama | null, proxy: FaultProxy | null) {
    this.options = options;
    this.#app = app;
    this.#own = own;
    this.proxy = proxy;
    this.load = new Load(
      { gateway: () => this.#app.ready.gateway, web: () => this.#app.ready.web },
      options.words,
      options.shipped ? SHIPPED_PAUSE_MS : PAUSE_MS,
      options.onSent,
    );
  }

  static async open(options: WorldOptions): Promise<World> {
    const { dir, mode } = options;
    await mkdir(join(dir, 'home'), { recursive: true });
    await writeMlxModel(join(dir, 'home'), options.words);
    const own = mode === 'proxied' ? await startOwnOllama(join(dir, 'ollama-models')) : null;
    const proxy = own && (await startFaultProxy(own.url));
    const app = await startHost(options, proxy);
    const world = new World(options, app, own, proxy);
    const { ollama } = (await app.health()).backends;
    await createOllamaModel(own?.url ?? String(ollama?.url), dir, options.words);
    await world.up();
    // The app lists the model shortly after the server has it.
    for (const category of ['fast', 'coding'] as const) {
      const answers = async () =>
        (await askGateway(world.app.ready.gateway, { category, stream: false, words: options.words })).ended;
      await until(answers, `${category} answered`);
    }
    world.load.hold(false);
    return world;
  }

  get app(): App {
    return this.#app;
  }

  async health(): Promise<Health> {
    const health = await this.#app.health();
    for (const { pid } of Object.values(health.backends)) if (pid) this.#seen.add(pid);
    return health;
  }

  async backend(target: Target): Promise<Health['backends'][string]> {
    const found = (await this.health()).backends[target];
    if (!found) throw new Error(`no ${target}`);
    return found;
  }

  /** Waits until both servers accept requests; presses Restart where a breaker is open, as a user would. */
  async up(): Promise<void> {
    let pressed = 0;
    await until(
      async () => {
        const { backends } = await this.health();
        for (const id of ['mlx', 'ollama'] as const) {
          if (backends[id]?.state !== 'open' || performance.now() - pressed < 5000) continue;
          pressed = performance.now();
          this.presses += 1;
          const ui = await connect(this.#app.ready.web);
          await ui.call('backendRestart', { backend: id });
        }
        return (['mlx', 'ollama'] as const).every((id) =>
          ['ready', 'busy', 'adopted'].includes(backends[id]?.state ?? ''),
        );
      },
      'both servers up',
      this.options.shipped ? SHIPPED_UP_MS : PATIENCE_MS,
    );
  }

  /** Presses Restart on each server that has restarted, so that the next fault starts with the first backoff. */
  async forgetRestarts(): Promise<void> {
    const { backends } = await this.health();
    for (const id of ['mlx', 'ollama'] as const) {
      if ((backends[id]?.restarts ?? 0) === 0) continue;
      this.presses += 1;
      await (await connect(this.#app.ready.web)).call('backendRestart', { backend: id });
    }
  }

  /** Pid of the server that is computing now. */
  async busy(target: Target): Promise<number> {
    return Number((await this.busyAll([target]))[0]);
  }

  /** Pids of these servers at a moment when each of them is computing. */
  async busyAll(targets: readonly Target[] = ['mlx', 'ollama']): Promise<number[]> {
    return until(
      async () => {
        const { backends } = await this.health();
        const pids = targets.flatMap((target) => {
          const found = backends[target];
          return found?.state === 'busy' && found.pid ? found.pid : [];
        });
        return pids.length === targets.length && pids;
      },
      `${targets.join(' and ')} busy`,
    );
  }

  /** Waits until this server, adopted or not, has work. */
  async busyWork(target: Target): Promise<void> {
    const busy = async () => (await this.running(target)) > 0;
    await until(busy, `${target} at work`);
  }

  /** Number of requests running on a server. */
  async running(target: Target): Promise<number> {
    return (await this.#queue()).by_backend?.[target]?.running ?? 0;
  }

  /** Number of requests waiting for a server. */
  async waiting(): Promise<number> {
    return (await this.#queue()).depth;
  }

  /** When the app's log reports the latest exit of a server; wall time in ms. */
  async exitOf(target: Target): Promise<number | null> {
    const log = await readFile(join(this.#app.dataDir, 'logs/tandem.log'), 'utf8');
    const lines = log.split('\n').filter((line) => line.includes('"process.exit"'));
    const exits = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === target);
    return exits.length === 0 ? null : Date.parse(exits.at(-1).time);
  }

  /** Model runners of an Ollama. */
  async runners(): Promise<number[]> {
    const pid = this.#own?.pid ?? (await this.backend('ollama')).pid;
    return pid ? processesOf(pid) : [];
  }

  /** Sends a word to the fault module inside MLX. False when there is no reader. */
  async tellMlx(word: string): Promise<boolean> {
    // `dd` opens the FIFO without waiting for a reader, so that a dead server is noticed.
    try {
      execFileSync('dd', [`of=${this.#path('pipe')}`, 'oflag=nonblock', 'conv=notrunc'], {
        input: `${word}\n`,
        stdio: ['pipe', 'ignore', 'ignore'],
        timeout: 2000,
      });
      return true;
    } catch {
      return false;
    }
  }

  /** Faults of MLX's next starts, one word each. */
  async nextStarts(...words: string[]): Promise<void> {
    await writeFile(this.#path('starts'), words.join('\n'));
  }

  /** How often the fault module has acted so far. */
  async fired(): Promise<number> {
    const text = await readFile(this.#path('fired'), 'utf8').catch(() => '');
    return text.split('\n').length;
  }

  /** Sets the faults of the machine. */
  async machine(faults: { clockMs: number; memory: number | null }): Promise<void> {
    await writeFile(this.#path('host.json'), JSON.stringify(faults));
    this.#app.process.kill('SIGUSR2');
    await pause(50);
  }

  /** Running timers in the host, and listeners on its process. */
  async ticking(): Promise<{ timers: number; listeners: number }> {
    const path = this.#path('host.json.held');
    await rm(path, { force: true });
    await this.machine({ clockMs: 0, memory: null });
    const text = await until(() => readFile(path, 'utf8').catch(() => false), 'what the host holds');
    return JSON.parse(String(text));
  }

  /** `kill -9` of the app; it restarts in the same data folder. */
  async killApp(): Promise<void> {
    await this.#app.kill();
    this.#app = await startHost(this.options, this.proxy);
  }

  /** Surviving processes of earlier servers or of an earlier app; waits for one that is just exiting. */
  async orphans(): Promise<number> {
    for (let turn = 0; turn < 600; turn += 1) {
      if ((await this.#orphansNow()) === 0) return 0;
      await pause(50);
    }
    return this.#orphansNow();
  }

  async #orphansNow(): Promise<number> {
    const ours = await processesOf(Number(this.#app.process.pid));
    const known = new Set([...this.#seen].filter((pid) => !ours.includes(pid)));
    for (const pid of ours) this.#seen.add(pid);
    return (await livingOf([...known])).length;
  }

  /** Ends everything and returns what is left over. */
  async close(): Promise<{ processes: number; code: number | null }> {
    for (const pid of await processesOf(Number(this.#app.process.pid))) this.#seen.add(pid);
    const { code } = await this.#app.stop();
    let left: string[] = [];
    for (let turn = 0; turn < 600; turn += 1) {
      left = await livingOf([...this.#seen].filter(isAlive));
      if (left.length === 0) break;
      await pause(50);
    }
    await this.proxy?.close();
    await this.#own?.stop();
    return { processes: left.length, code };
  }

  async #queue(): Promise<{ depth: number; by_backend?: Record<string, { running?: number }> }> {
    return (await fetch(`${this.#app.ready.gateway}/queue/stats`)).json() as never;
  }

  #path(name: string): string {
    return join(this.options.dir, name);
  }
}

async function startHost(options: WorldOptions, proxy: FaultProxy | null): Promise<App> {
  const { dir, shipped } = options;
  const path = (name: string) => join(dir, name);
  execFileSync('sh', ['-c', `test -p '${path('pipe')}' || mkfifo '${path('pipe')}'`]);
  await withoutSmallModel(path('data'));
  await writeFile(path('starts'), '');
  await writeFile(path('host.json'), JSON.stringify({ clockMs: 0, memory: null }));
  const cache = process.env.XDG_CACHE_HOME ?? join(String(process.env.HOME), '.cache');
  return startApp({
    dataDir: path('data'),
    env: {
      HOME: path('home'),
      TANDEM_RUNTIME_DIR: process.env.TANDEM_RUNTIME_DIR ?? join(cache, 'Tandem', 'runtimes'),
      OLLAMA_MODELS: path('ollama-models'),
      OLLAMA_NO_CLOUD: '1',
      MLX_MODEL_FAST: MODEL,
      OLLAMA_MODEL_FAST: MODEL,
      OLLAMA_MODEL_CODING: MODEL,
      OLLAMA_MODEL_GENERAL: MODEL,
      MLX_RATE_LIMIT_MAX: '0',
      TANDEM_MLX_FAULTS: join(SUPPORT, 'mlx-faults.py'),
      TANDEM_MLX_FAULT_PIPE: path('pipe'),
      TANDEM_MLX_FAULT_STARTS: path('starts'),
      TANDEM_MLX_FAULT_LOG: path('fired'),
      TANDEM_MLX_FAULT_MARK: DEADLY,
      TANDEM_MLX_PACE_MS: String(PACE_MS),
      TANDEM_HOST_FAULTS: path('host.json'),
      TANDEM_HANG_PATIENCE: '1',
      NODE_OPTIONS: `--import ${join(SUPPORT, 'host-faults.mjs')}`,
      ...(proxy ? { OLLAMA_API_URL: proxy.url } : {}),
      ...(shipped ? {} : { TANDEM_RESTART_BACKOFF: '0.2', TANDEM_RESTART_STABLE: '2' }),
    },
  });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
