import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { version } from '../../package.json';
import { toTandemError } from '../shared/errors';
import { type Assembled, assemble } from './assemble';
import { systemClock } from './ports/clock';
import { WebHost } from './web/web-host';

/** The Node host: the same core, its UI in a browser. Exit codes: 0 (also SIGTERM), 1 failure, 2 usage, 130 SIGINT. */

const ROOT = resolve(import.meta.dirname, '..', '..');
/** Everything must be gone 10 s after the signal; what still hangs then is left to the next start's sweep. */
const STOP_LIMIT_MS = 9_000;
const PARENT_CHECK_MS = 1_000;
const DEFAULT_WEB_PORT = 11437;

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

async function main(): Promise<void> {
  const argv = options();
  const { env } = process;
  const stopping = new AbortController();
  let app: Assembled | null = null;
  let web: WebHost | null = null;
  const end = (code: number) => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    process.exitCode = code;
    setTimeout(() => process.exit(code), STOP_LIMIT_MS).unref();
    void Promise.allSettled([web?.close(), app?.close()]).then(() => process.exit(code));
  };
  process.on('SIGTERM', () => end(0));
  process.on('SIGHUP', () => end(0));
  process.on('SIGINT', () => end(130));
  endWithParent(() => end(0));

  app = await assemble({
    host: 'headless',
    version,
    locale: env.LC_ALL || env.LC_MESSAGES || env.LANG || 'en',
    resourcesDir: resolve(ROOT, 'resources'),
    storeWorker: new URL('./store-worker.js', import.meta.url),
    node: process.execPath,
    dataDir: argv['data-dir'],
    systemPackages: !argv['no-system-packages'],
    json: argv.json ?? false,
    shell: {
      openExternal: async () => {},
      hideWindow: () => {},
      quit: () => end(0),
    },
  });
  if (stopping.signal.aborted) return void (await app.close());
  const { core, logger, webToken } = app;
  web = new WebHost({
    handlers: core.handlers,
    onPush: core.onPush,
    token: webToken,
    rendererDir: resolve(ROOT, 'out', 'renderer'),
    allowedHosts: listOf(env.TANDEM_ALLOWED_HOSTS),
    allowedOrigins: listOf(env.TANDEM_ALLOWED_ORIGINS),
    insecureLan: argv['insecure-lan'] ?? false,
    clock: systemClock,
    logger,
  });
  const host = web;
  core.setUiOrigins(() => host.origins());
  const { url, moved } = await web.listen(
    Number(env.TANDEM_WEB_PORT || DEFAULT_WEB_PORT),
    env.TANDEM_WEB_HOST || '127.0.0.1',
  );
  const address = `${url}/?token=${webToken}`;
  if (moved) {
    const holder = moved.holder ? ` by ${moved.holder.name} (pid ${moved.holder.pid})` : '';
    core.warn({
      code: 'port_taken',
      message: `Port ${moved.from} is taken${holder}; the UI is at ${url} instead.`,
    });
    process.stderr.write(`Port ${moved.from} is taken${holder}; the UI is at ${url} instead.\n`);
  }
  process.stdout.write(`UI ${address}\n`);
  if (!argv['no-open']) openBrowser(address);
  await core.start();
  await core.settled(argv.wait ?? false, stopping.signal);
  process.stdout.write(`ready ${JSON.stringify({ web: address, ...core.addresses() })}\n`);
}

/** Ends the host when the process that started it goes away: nobody could stop it any more. */
function endWithParent(end: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, PARENT_CHECK_MS).unref();
}

/** Opens the system's browser; a machine without one has the address on the console. */
function openBrowser(address: string): void {
  const command = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(command, [address], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}

function listOf(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);
}

main().catch((error) => {
  if (process.exitCode !== undefined) return;
  const failure = toTandemError(error);
  process.stderr.write(`${failure.code}: ${failure.message}\n`);
  if (failure.code === 'internal' && failure.cause instanceof Error)
    process.stderr.write(`${failure.cause.stack}\n`);
  process.exit(1);
});
