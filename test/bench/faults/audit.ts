import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import type { Ready } from '../../support/app.ts';
import type { Ledger } from './ledger.ts';
import type { World } from './world.ts';

const SETTLE_MS = 3000;

/** Resident bytes and open files of the host at rest (Linux; elsewhere 0, so that nothing is claimed). */
export async function hostFigures(world: World): Promise<{ bytes: number; handles: number }> {
  world.load.hold(true);
  await pause(SETTLE_MS);
  const { pid } = world.app.process;
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const bytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
    return { bytes, handles: (await readdir(`/proc/${pid}/fd`)).length };
  } catch {
    return { bytes: 0, handles: 0 };
  } finally {
    world.load.hold(false);
  }
}

/** What the app has left in its data folder and on its ports when it has ended. */
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
