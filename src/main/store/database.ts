import { closeSync, existsSync, openSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Warning } from '../../shared/contract';
import { makePrivateFile } from '../ports/private-files';
import { DATABASE_VERSION, databaseVersion, migrate } from './migrations';
import { isUnreadable } from './sqlite-errors';

export interface OpenDatabase {
  db: DatabaseSync;
  readOnly: boolean;
  backupDir: string;
  warnings: Warning[];
}

/** Larger files are not checked page by page at start, which would take seconds. Damage then shows in a query. */
const CHECKED_BYTES = 200 * 1024 * 1024;

/**
 * Opens `tandem.db` and migrates it. Opens one of a newer version read-only (`database_newer`). Renames one that is not
 * a readable database, adds a warning and creates a new one (`database_unreadable`). Otherwise throws SQLite's error.
 */
export function openDatabase(dataDir: string, now: Date): OpenDatabase {
  const file = join(dataDir, 'tandem.db');
  const backupDir = join(dataDir, 'backups');
  const warnings: Warning[] = [];
  let db: DatabaseSync;
  try {
    db = openConnection(file);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    warnings.push(setAside(file, now));
    db = openConnection(file);
  }
  const version = databaseVersion(db);
  if (version > DATABASE_VERSION) {
    db.close();
    return {
      db: connectReadOnly(file),
      readOnly: true,
      backupDir,
      warnings: [...warnings, newer(file, version)],
    };
  }
  try {
    migrate(db, backupDir, now);
  } catch (error) {
    db.close();
    throw error;
  }
  return { db, readOnly: false, backupDir, warnings };
}

/** Every writable connection overwrites deleted data. */
export function openConnection(file: string): DatabaseSync {
  // SQLite gives its -wal and -shm files the permissions of the database.
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  makePrivateFile(file);
  const db = new DatabaseSync(file);
  try {
    db.exec(
      'PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON',
    );
    check(db, file);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function connectReadOnly(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true });
  db.exec('PRAGMA busy_timeout = 2000');
  return db;
}

function check(db: DatabaseSync, file: string): void {
  if (statSync(file).size > CHECKED_BYTES) return;
  const result = db.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (result !== 'ok') throw Object.assign(new Error('quick_check failed'), { errcode: 11 });
}

function setAside(file: string, now: Date): Warning {
  const aside = file.replace(/\.db$/, `.unreadable-${now.toISOString().replaceAll(':', '-')}.db`);
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  return {
    code: 'database_unreadable',
    message: `The chat database could not be read. It was kept as ${aside} and a new one was started. To recover chats, stop Tandem and run: sqlite3 "${aside}" .recover`,
    details: { path: aside },
  };
}

function newer(file: string, version: number): Warning {
  return {
    code: 'database_newer',
    message: `${file} was written by a newer Tandem (version ${version}); chats can be read but not changed. Update Tandem.`,
    details: { path: file, version },
  };
}
