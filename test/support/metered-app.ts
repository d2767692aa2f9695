import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type App, type AppOptions, startApp, until } from './app.ts';

/** The host's resources after a collection; bytes and counts. */
export interface Held {
  heap: number;
  external: number;
  /** Before the collection. */
  rss: number;
  /** Active handles and requests of the event loop. */
  resources: number;
  /** Open files and sockets; null where the system does not list them. */
  files: number | null;
  /** CPU time of that collection, ms. */
  collectMs: number;
  /** The most CPU time of the main thread in one turn since the previous measurement, ms. */
  blockMs: number;
  /** CPU time of the main thread since then, ms. */
  busyMs: number;
  /** The longest time since then in which the event loop did not turn, ms; longer on a busy machine. */
  delayMs: number;
}

export interface MeteredApp extends App {
  measure(): Promise<Held>;
}

const PRELOAD = pathToFileURL(join(import.meta.dirname, 'host-meter.mjs')).href;

/** The built host with a meter inside. @param folder where the meter writes; not the data folder */
export async function startMeteredApp(folder: string, options: AppOptions = {}): Promise<MeteredApp> {
  const path = join(folder, 'meter.json');
  const env = { ...options.env, TANDEM_HOST_METER: path, NODE_OPTIONS: `--import ${PRELOAD}` };
  const app = await startApp({ ...options, env });
  return {
    ...app,
    async measure() {
      await rm(path, { force: true });
      app.process.kill('SIGUSR2');
      const text = await until(
        () => readFile(path, 'utf8').catch(() => false as const),
        'what the host holds',
      );
      const files = await readdir(`/proc/${app.process.pid}/fd`).catch(() => null);
      return { ...(JSON.parse(text) as Omit<Held, 'files'>), files: files?.length ?? null };
    },
  };
}
