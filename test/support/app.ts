import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { headlessEnvironment, headlessFlags } from '../../resources/setup/lib/host-process.js';

/** Runs the headless host as a separate process with its own data folder. Plain Node: benches use it too. */

const ROOT = resolve(import.meta.dirname, '..', '..');
/** Timeout, ms: what has not happened by then will not happen, even on a slow machine. */
export const PATIENCE_MS = 300_000;

export interface AppOptions {
  /** Merged into a clean environment: all ports are free, and a slow server does not count as hung. */
  env?: Record<string, string>;
  args?: string[];
  /** If given, it is kept and reused; otherwise a folder is created and removed. */
  dataDir?: string;
  /** Timeout for `ready`, ms. */
  readyMs?: number;
}

export interface Ready {
  web: string;
  gateway: string;
  mlxApi: string;
}

export interface App {
  ready: Ready;
  /** From spawn to the `ready` line, ms. */
  readyMs: number;
  dataDir: string;
  process: ChildProcess;
  /** The stderr output, for the message of a failing test. */
  log(): string;
  health(): Promise<Health>;
  /** Sends SIGTERM; resolves with the exit code and the time it took. */
  stop(): Promise<{ code: number | null; ms: number }>;
  /** Sends `kill -9`; the data folder stays until `remove`. */
  kill(): Promise<void>;
  /** Removes the data folder. */
  remove(): Promise<void>;
}

export interface Health {
  status: string;
  backends: Record<
    string,
    {
      state: string;
      pid: number | null;
      url: string | null;
      restarts: number;
      model: string | null;
      last_error: { code: string; message: string } | null;
      code?: string;
      cure?: string;
    }
  >;
  memory: { mlx_bytes: number | null; ollama_bytes: number | null; used_percent: number };
  queue: { depth: number; running: number };
  warnings: { code: string; message: string }[];
  instance: string;
}

/** Environment of a test instance, without the user's own settings, models or servers. */
export function cleanEnvironment(
  dataDir: string,
  extra: Record<string, string> = {},
): Record<string, string> {
  const keep = [
    'PATH',
    'HOME',
    'LANG',
    'TMPDIR',
    'TANDEM_RUNTIME_DIR',
    'TANDEM_OLLAMA_BIN',
    'XDG_CACHE_HOME',
    'GOPATH',
    'GOCACHE',
    'NODE_COMPILE_CACHE',
    'CI',
  ];
  const env: Record<string, string> = {};
  for (const name of keep) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return {
    ...env,
    TANDEM_DATA_DIR: dataDir,
    TANDEM_WEB_PORT: '0',
    TANDEM_GATEWAY_PORT: '0',
    TANDEM_MLX_API_PORT: '0',
    OLLAMA_MODELS: join(dataDir, 'ollama-models'),
    TANDEM_HANG_PATIENCE: '40',
    ...extra,
  };
}

/** Starts the built headless host and waits for its `ready` line. Rejects with its log when it exits earlier. */
export async function startApp(options: AppOptions = {}): Promise<App> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'tandem-app-')));
  const args = [
    ...headlessFlags,
    join(ROOT, 'out/main/headless.js'),
    '--no-open',
    ...(options.args ?? ['--wait']),
  ];
  const started = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...cleanEnvironment(dataDir, options.env), ...headlessEnvironment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  const exited = new Promise<number | null>((settle) => child.once('exit', (code) => settle(code)));
  const ready = await readyLine(child, exited, options.readyMs ?? PATIENCE_MS, () => log.join('\n'));
  const readyMs = performance.now() - started;
  return {
    ready,
    readyMs,
    dataDir,
    process: child,
    log: () => log.join('\n'),
    health: async () => (await (await fetch(`${ready.gateway}/health`)).json()) as Health,
    async stop() {
      const begin = performance.now();
      child.kill('SIGTERM');
      const code = await exited;
      return { code, ms: performance.now() - begin };
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    remove: () => rm(dataDir, { recursive: true, force: true }),
  };
}

function readyLine(
  child: ChildProcess,
  exited: Promise<number | null>,
  limitMs: number,
  log: () => string,
): Promise<Ready> {
  return new Promise((settle, reject) => {
    const fail = (why: string) => {
      child.kill('SIGKILL');
      reject(new Error(`${why}\n${log()}`));
    };
    const timer = setTimeout(() => fail(`not ready after ${limitMs} ms`), limitMs);
    void exited
      .then((code) => fail(`the host ended with ${code} before it was ready`))
      .finally(() => clearTimeout(timer));
    if (!child.stdout) return fail('no stdout');
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('ready {')) return;
      clearTimeout(timer);
      settle(JSON.parse(line.slice('ready '.length)) as Ready);
    });
  });
}

/** Asks the gateway for a short answer without streaming; returns the text and the label from its headers. */
export async function ask(
  base: string,
  content: string,
  options: { model?: string; tokens?: number; headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<{
  status: number;
  text: string;
  backend: string | null;
  model: string | null;
  reasons: string[];
  error?: string;
  code?: string;
}> {
  const response = await fetch(`${base}/api/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...options.headers },
    body: JSON.stringify({
      model: options.model ?? 'auto',
      stream: false,
      messages: [{ role: 'user', content }],
      options: { num_predict: options.tokens ?? 16 },
    }),
    signal: options.signal ?? null,
  });
  const body = (await response.json()) as { message?: { content: string }; error?: string; code?: string };
  return {
    status: response.status,
    text: body.message?.content ?? '',
    backend: response.headers.get('x-tandem-backend'),
    model: response.headers.get('x-tandem-model'),
    reasons: (response.headers.get('x-tandem-reasons') ?? '').split(','),
    ...(body.error === undefined ? {} : { error: body.error }),
    ...(body.code === undefined ? {} : { code: body.code }),
  };
}

/** Polls `probe` until it returns a value; rejects after `limitMs`. For conditions without an event. */
export async function until<T>(
  probe: () => Promise<T | null | undefined | false>,
  what: string,
  limitMs = PATIENCE_MS,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((settle) => setTimeout(settle, 50));
  }
}

/** Makes both servers unavailable: the app starts within a second, for tests that do not need them. */
export const NO_SERVERS = { TANDEM_MLX_PYTHON: '/nowhere/python', OLLAMA_API_URL: 'http://127.0.0.1:9' };

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  const { port } = server.address() as AddressInfo;
  await new Promise((settle) => server.close(settle));
  return port;
}
