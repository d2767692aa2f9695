import { chmodSync, mkdirSync, readdirSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

/** Step n migrates a database from version n to n + 1. A released step is never edited. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE chats (
     id TEXT PRIMARY KEY,
     title TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL,
     hidden INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   CREATE TABLE messages (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     chat_id TEXT NOT NULL REFERENCES chats(id) ON DELETE CASCADE,
     role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
     reply_to TEXT,
     text TEXT NOT NULL,
     status TEXT,
     meta TEXT,
     at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX messages_by_chat ON messages (chat_id, seq);`,
  `CREATE TABLE journal (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL,
     at INTEGER NOT NULL,
     origin TEXT NOT NULL,
     client TEXT NOT NULL,
     priority TEXT NOT NULL,
     category TEXT,
     backend TEXT,
     model TEXT,
     reasons TEXT NOT NULL,
     outcome TEXT NOT NULL,
     code TEXT,
     queue_ms REAL,
     ttft_ms REAL,
     total_ms REAL NOT NULL,
     prompt_tokens INTEGER,
     completion_tokens INTEGER,
     replays INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX journal_by_time ON journal (at);`,
];

export const DATABASE_VERSION = MIGRATIONS.length;

const BACKUPS_KEPT = 3;
/** The names that `backUp` uses; no other file in the folder is our backup. */
const BACKUP = /^[\dTZ.-]+-version-\d+\.db$/;

export function databaseVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
}

/**
 * Migrates the database to `target` one step at a time, each in its own transaction, with a backup before each (a new
 * database has nothing to back up). A failed step leaves the version before it.
 */
export function migrate(db: DatabaseSync, backupDir: string, now: Date, target = DATABASE_VERSION): void {
  const first = databaseVersion(db);
  for (let version = first; version < target; version += 1) {
    if (first > 0) backUp(db, backupDir, version, now);
    inTransaction(db, () => {
      db.exec(MIGRATIONS[version] ?? '');
      db.exec(`PRAGMA user_version = ${version + 1}`);
    });
  }
}

/** Runs the changes in one transaction. */
export function inTransaction(db: DatabaseSync, run: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    run();
    db.exec('COMMIT');
  } catch (error) {
    // A full disk may have caused a rollback already.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Backups in the folder, oldest first. */
export function listBackups(backupDir: string): string[] {
  try {
    return readdirSync(backupDir)
      .filter((name) => BACKUP.test(name))
      .sort()
      .map((name) => join(backupDir, name));
  } catch {
    return [];
  }
}

function backUp(db: DatabaseSync, backupDir: string, version: number, now: Date): void {
  mkdirSync(backupDir, { recursive: true, mode: 0o700 });
  const file = join(backupDir, `${now.toISOString().replaceAll(':', '-')}-version-${version}.db`);
  // A copy that is cut short by a kill must not look like a backup.
  const half = `${file}.tmp`;
  db.prepare('VACUUM INTO ?').run(half);
  chmodSync(half, 0o600);
  renameSync(half, file);
  for (const old of listBackups(backupDir).slice(0, -BACKUPS_KEPT)) unlinkSync(old);
}
