import { cpus, homedir } from 'node:os';
import { join } from 'node:path';
import { isReadableFolder } from '../models/folder-check';
import { systemClock } from '../ports/clock';
import { nodeFileStore } from '../ports/file-store';
import type { Logger } from '../ports/logger';
import { createNodeFetcher } from '../ports/node-fetcher';
import { createProcessTable } from '../ports/node-process-table';
import { nodeSpawner } from '../ports/node-spawner';
import { ParentWatch } from '../ports/parent-watch';
import { openLog } from '../ports/pino-logger';
import { type Cipher, SecretFile } from '../ports/secrets';
import { findContainerHost } from '../setup/container-host';
import { openDataDir } from '../store/data-dir';
import { openSettings } from '../store/settings-store';
import { openStore } from '../store/store-client';
import { ChildRecords, sweepOrphans } from '../supervisor/sweep';
import { createCore } from './core';
import type { Core } from './core-types';
import type { Place, Shell } from './place';

export interface AssembleOptions {
  host: Place['host'];
  version: string;
  locale: string;
  /** The `resources/` folder. */
  resourcesDir: string;
  /** The built database worker. The entry passes it, since this module may end up in a chunk in another folder. */
  storeWorker: URL;
  /** A Node that runs the set-up scripts and the scan for models. */
  node: string;
  /** The built script of that scan; a file outside any archive. */
  scanScript: string;
  /** `--data-dir`, if given. */
  dataDir?: string | undefined;
  systemPackages: boolean;
  /** Log lines on the console as JSON. */
  json: boolean;
  shell: Shell;
  /** The system's secret store; null = the host has none, and secrets are in a file of their owner. */
  cipher: Cipher | null;
}

/** A core on this machine's real ports; its process holds the data folder. */
export interface Assembled {
  core: Core;
  logger: Logger;
  dataDir: string;
  webToken: string;
  /** Stops the core and releases the data folder; safe to call twice. */
  close(): Promise<void>;
}

/**
 * Opens the data folder, log, settings and database, ends processes that a dead instance left running, and creates the
 * core. Rejects with `data_dir_foreign`, `data_dir_locked`, `read_only`, `disk_full` or `database_unreadable`, and then
 * leaves nothing open.
 */
export async function assemble(options: AssembleOptions): Promise<Assembled> {
  const { env, platform } = process;
  const home = homedir();
  const table = createProcessTable();
  const dataDir = await openDataDir({ env, platform, home, argument: options.dataDir, processes: table });
  const log = await openLog({ dataDir: dataDir.path, json: options.json, stderr: process.stderr });
  const onExit = () => log.flushSync();
  process.on('exit', onExit);
  // Without a listener an unhandled rejection ends the process, and with it the requests of all clients.
  const onStray = (error: unknown) => log.logger.error('unhandled_rejection', { error });
  process.on('unhandledRejection', onStray);
  const { fetcher, post, close: closeFetcher } = createNodeFetcher();
  const closers = [
    () => dataDir.release(),
    () => log.close(),
    closeFetcher,
    async () => void process.off('exit', onExit).off('unhandledRejection', onStray),
  ];
  /** Closes in reverse order of opening; a failure does not keep the others open. */
  const release = async () => {
    for (let close = closers.pop(); close; close = closers.pop()) await close().catch(() => {});
  };
  try {
    const { logger } = log;
    const clock = systemClock;
    const spawner = new ParentWatch(nodeSpawner, join(options.resourcesDir, 'parent-watch.sh'), logger);
    closers.push(() => spawner.close());
    const scan = { spawner, clock, node: options.node, script: options.scanScript, env };
    const records = new ChildRecords(join(dataDir.path, 'children.json'));
    const [settings, store, containerHost] = await Promise.all([
      openSettings({
        dataDir: dataDir.path,
        env,
        files: nodeFileStore,
        clock,
        logger,
        isFolder: (path) => isReadableFolder(scan, path),
      }),
      openStore({ dataDir: dataDir.path, workerUrl: options.storeWorker, logger }),
      findContainerHost({ env, fetcher }),
      sweepOrphans(records, { table, clock, logger }),
    ]);
    closers.push(() => store.close());
    await dataDir.claim();
    if (!store.readOnly) await store.recover();
    const secrets = new SecretFile({
      files: nodeFileStore,
      path: join(dataDir.path, 'secrets.json'),
      cipher: options.cipher,
    });
    const core = createCore(
      { clock, spawner, scan, table, records, fetcher, post, files: nodeFileStore, secrets, logger },
      settings,
      store,
      {
        version: options.version,
        host: options.host,
        platform,
        locale: options.locale,
        chip: chipName(),
        home,
        dataDir: dataDir.path,
        resourcesDir: options.resourcesDir,
        runtimeDir: runtimeDir(home),
        env,
        instanceId: dataDir.instanceId,
        node: options.node,
        containerHost,
        systemPackages: options.systemPackages,
      },
      options.shell,
    );
    let closing: Promise<void> | null = null;
    return {
      core,
      logger,
      dataDir: dataDir.path,
      webToken: dataDir.webToken,
      close() {
        closing ??= core.stop().finally(release);
        return closing;
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** On macOS the chip's own name; some Linux systems have none. */
function chipName(): string | null {
  const model = cpus()[0]?.model.trim() ?? '';
  return model === '' || model === 'unknown' ? null : model;
}

/** `TANDEM_RUNTIME_DIR`, else the OS's cache folder + `Tandem/runtimes`, the same path as in the set-up scripts. */
function runtimeDir(home: string): string {
  const { env, platform } = process;
  if (env.TANDEM_RUNTIME_DIR) return env.TANDEM_RUNTIME_DIR;
  const cache =
    platform === 'darwin' ? join(home, 'Library', 'Caches') : env.XDG_CACHE_HOME || join(home, '.cache');
  return join(cache, 'Tandem', 'runtimes');
}
