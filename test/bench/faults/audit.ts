import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import type { Ready } from '../../support/app.ts';
import type { Ledger, Left } from './ledger.ts';
import type { World } from './world.ts';

const SETTLE_MS = 3000;
/** A file write takes milliseconds. */
const HALF_WRITTEN_MS = 1000;

/** The host's resources at one moment. */
export interface Held {
  /** Half-written files in its data folder. */
  files: number;
  /** Null where the system does not report it (all but Linux). */
  process: {
    /** Resident memory. */
    bytes: number;
    handles: number;
    /** Ports that it listens on. */
    ports: number;
  } | null;
}

/** The host's current resources, under load or not. */
export async function heldBy(world: World): Promise<Held> {
  const { app } = world;
  return {
    files: await halfWritten(app.dataDir),
    process: await processFigures(`/proc/${app.process.pid}`).catch(() => null),
  };
}

async function processFigures(own: string): Promise<NonNullable<Held['process']>> {
  const [status, handles, tcp] = await Promise.all([
    readFile(`${own}/status`, 'utf8'),
    readdir(`${own}/fd`),
    readFile(`${own}/net/tcp`, 'utf8'),
  ]);
  const links = await Promise.all(handles.map((name) => readlink(`${own}/fd/${name}`).catch(() => '')));
  // Columns of `/proc/net/tcp`: the fourth is the state (0A = listening), the tenth the socket's inode.
  const ports = tcp
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((cells) => cells[3] === '0A' && links.includes(`socket:[${cells[9]}]`)).length;
  const bytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  return { bytes, handles: handles.length, ports };
}

/** Resources that exist now and did not exist before. */
export function leftBetween(before: Held, now: Held): Pick<Left, 'ports' | 'files' | 'hostMb'> {
  const [was, is] = [before.process, now.process];
  return {
    files: Math.max(0, now.files - before.files),
    ports: was && is ? Math.max(0, is.ports - was.ports) : 0,
    hostMb: was && is ? (is.bytes - was.bytes) / 1e6 : null,
  };
}

/** Temporary files that have not replaced their target yet; younger ones may still be in progress. */
async function halfWritten(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const found = names.filter((name) => name.endsWith('.tmp')).map((name) => stat(join(folder, name)));
  const settled = await Promise.allSettled(found);
  return settled.filter(
    (each) => each.status === 'fulfilled' && Date.now() - each.value.mtimeMs > HALF_WRITTEN_MS,
  ).length;
}

/** Also the timers and listeners inside the process. */
export type HeldAtRest = Held & { timers: number; listeners: number };

/** The host's resources after some seconds without requests. */
export async function heldAtRest(world: World): Promise<HeldAtRest> {
  world.load.hold(true);
  await pause(SETTLE_MS);
  const held = { ...(await heldBy(world)), ...(await world.ticking()) };
  world.load.hold(false);
  return held;
}

/** What the app left in its data folder and on its ports after its exit. */
export async function auditData(dataDir: string, ready: Ready, ledger: Ledger): Promise<void> {
  const names = await readdir(dataDir, { recursive: true });
  const left = names.filter((name) => name.endsWith('.tmp') || name === 'instance.json');
  ledger.note('leaked_files', left.length, left.join(' '));
  let taken = 0;
  for (const url of Object.values(ready)) if (await isTaken(Number(new URL(url).port))) taken += 1;
  ledger.note('leaked_ports', taken);
  const db = new DatabaseSync(join(dataDir, 'tandem.db'), { readOnly: true });
  const count = (sql: string) => Number(Object.values(db.prepare(sql).get() ?? { none: 0 })[0]);
  const twice = db.prepare('SELECT id FROM journal GROUP BY id HAVING count(*) > 1').all();
  for (const { id } of twice) ledger.note('settled_twice', 1, String(id));
  ledger.note('journal_rows', count('SELECT count(*) FROM journal'));
  ledger.note('stuck_rows', count("SELECT count(*) FROM messages WHERE status IN ('queued', 'streaming')"));
  db.close();
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const server = createServer();
    server.once('error', () => settle(true));
    server.listen(port, '127.0.0.1', () => server.close(() => settle(false)));
  });
}
