import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { version } from '../../package.json';
import { TandemError, toTandemError } from '../shared/errors';
import { type Assembled, assemble } from './core/assemble';
import { readListenSettings } from './core/listen-settings';
import { systemClock } from './ports/clock';
import { WebHost } from './web/web-host';

/** The Node host: the same core, its UI in a browser. Exit codes: 0 (also SIGTERM), 1 failure, 2 usage, 130 SIGINT. */

const ROOT = resolve(import.meta.dirname, '..', '..');
/** Everything must have stopped 10 s after the signal; the next start ends whatever still hangs then. */
const STOP_LIMIT_MS = 9_000;
const PARENT_CHECK_MS = 1_000;

function options() {
  try {
    return parseArgs({
      options: {
        headless: { type: 'boolean' },
        'no-open': { type: 'boolean' },
        json: { type: 'boolean' },
        'data-dir': { type: 'string' },
        wait: { type: 'boolean' },
        'no-system-packages': { type: 'boolean' },
        'insecure-lan': { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(2);
  }
}

/** What is open or opening, and must be closed at the end. */
interface Opened {
  assembling: Promise<Assembled> | null;
  web: WebHost | null;
}

async function main(): Promise<void> {
  const argv = options();
  const stopping = new AbortController();
  const opened: Opened = { assembling: null, web: null };
  const end = (code: number) => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    const exit = () => process.exit(code);
    setTimeout(exit, STOP_LIMIT_MS).unref();
    void close(opened).then(exit, exit);
  };
  process.on('SIGTERM', () => end(0));
  process.on('SIGHUP', () => end(0));
  process.on('SIGINT', () => end(130));
  endWithParent(() => end(0));
  // The host must not die because the reader of its output is gone: it must stop its children first.
  process.stdout.on('error', () => {});
  try {
    await run(argv, opened, end, stopping.signal);
  } catch (error) {
    if (stopping.signal.aborted) return;
    tell(error);
    end(1);
  }
}

async function run(
  argv: ReturnType<typeof options>,
  opened: Opened,
  end: (code: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { env } = process;
  // Set for this process only (see the set-up's host-process.js).
  for (const name of Object.keys(env)) if (name.startsWith('MALLOC_')) delete env[name];
  opened.assembling = assemble({
    host: 'headless',
    version,
    locale: env.LC_ALL || env.LC_MESSAGES || env.LANG || 'en',
    resourcesDir: resolve(ROOT, 'resources'),
    storeWorker: new URL('./store-worker.js', import.meta.url),
    node: process.execPath,
    scanScript: join(import.meta.dirname, 'scan-child.js'),
    dataDir: argv['data-dir'],
    systemPackages: !argv['no-system-packages'],
    json: argv.json ?? false,
    cipher: null,
    shell: {
      openExternal: async () => {},
      showFolder: async () => {
        throw new TandemError('not_supported', 'Only the desktop app can show a folder.');
      },
      hideWindow: () => {},
      quit: () => end(0),
    },
  });
  const app = await opened.assembling;
  if (signal.aborted) return;
  const ui = await openUi(app, opened, argv['insecure-lan'] ?? false);
  if (signal.aborted) return;
  const address = `${ui.url}/?token=${app.webToken}`;
  process.stdout.write(`UI ${address}\n`);
  // The browser opener's command line is visible to every user of the machine.
  if (!argv['no-open']) openBrowser(`${ui.url}/?token=${ui.host.invitation()}`);
  await app.core.start();
  await app.core.settled(argv.wait ?? false, signal);
  process.stdout.write(`ready ${JSON.stringify({ web: address, ...app.core.addresses() })}\n`);
}

/** Serves the UI on the wanted port, else on the next free one. `url` does not contain the token. */
async function openUi(
  { core, logger, webToken }: Assembled,
  opened: Opened,
  insecureLan: boolean,
): Promise<{ host: WebHost; url: string }> {
  const listen = readListenSettings(process.env);
  const host = new WebHost({
    handlers: core.handlers,
    onPush: core.onPush,
    token: webToken,
    rendererDir: resolve(ROOT, 'out', 'renderer'),
    allowedHosts: listen.allowedHosts,
    allowedOrigins: listen.allowedOrigins,
    insecureLan,
    clock: systemClock,
    logger,
  });
  opened.web = host;
  core.setUiOrigins(() => host.origins());
  const { url, moved } = await host.listen(listen.web.port, listen.web.host);
  if (moved) {
    const holder = moved.holder ? ` by ${moved.holder.name} (process ${moved.holder.pid})` : '';
    const message = `Port ${moved.from} is taken${holder}; the UI is at ${url} instead.`;
    const details = {
      port: moved.from,
      url,
      holder: moved.holder?.name ?? null,
      pid: moved.holder?.pid ?? null,
    };
    core.warn({ code: 'port_taken', message, details });
    process.stderr.write(`${message}\n`);
  }
  return { host, url };
}

/** Waits for a core that is still being assembled, and closes it too. */
async function close({ assembling, web }: Opened): Promise<void> {
  await web?.close().catch(() => {});
  await (await assembling)?.close();
}

function tell(error: unknown): void {
  const failure = toTandemError(error);
  process.stderr.write(`${failure.code}: ${failure.message}\n`);
  if (failure.code === 'internal' && failure.cause instanceof Error)
    process.stderr.write(`${failure.cause.stack}\n`);
}

/** Ends the host when the process that started it ends, as nothing else would stop it. */
function endWithParent(end: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, PARENT_CHECK_MS).unref();
}

/** Opens the system's browser; without one, the address is on the console. */
function openBrowser(address: string): void {
  const command = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(command, [address], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}

void main();
