import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chatQueries } from '../../../src/main/store/chats';
import { openConnection, openDatabase } from '../../../src/main/store/database';
import { DATABASE_VERSION, databaseVersion, migrate } from '../../../src/main/store/migrations';
import { turn } from '../../support/messages';
import { tempDir } from '../../support/temp-dir';

const NOW = new Date('2026-02-03T04:05:06Z');

function open(dir: string, now = NOW) {
  const opened = openDatabase(dir, now);
  onTestFinished(() => {
    if (opened.db.isOpen) opened.db.close();
  });
  return opened;
}

/** A database as the first release wrote it. */
function versionOne(dir: string): void {
  const db = openConnection(`${dir}/tandem.db`);
  migrate(db, `${dir}/backups`, NOW, 1);
  chatQueries(db, '').addTurn({ chat: { id: 'a', title: 'Old chat' }, ...turn('a', 1) });
  db.close();
}

describe('openDatabase', () => {
  it('creates a database that only its owner can read, including its side files', () => {
    const dir = tempDir();
    const { db, readOnly, warnings } = open(dir);
    chatQueries(db, '').addTurn({ chat: { id: 'a', title: 'A' }, ...turn('a', 1) });
    expect({ readOnly, warnings, version: databaseVersion(db) }).toEqual({
      readOnly: false,
      warnings: [],
      version: DATABASE_VERSION,
    });
    const modes = readdirSync(dir).map((name) => [name, statSync(`${dir}/${name}`).mode & 0o777]);
    expect(modes.sort()).toEqual([
      ['tandem.db', 0o600],
      ['tandem.db-shm', 0o600],
      ['tandem.db-wal', 0o600],
    ]);
  });

  it('migrates version 1 to the current one, with a private backup of the old data', () => {
    const dir = tempDir();
    versionOne(dir);
    const { db, backupDir } = open(dir);
    expect(databaseVersion(db)).toBe(DATABASE_VERSION);
    expect(chatQueries(db, '').listChats()[0]?.title).toBe('Old chat');

    const backups = readdirSync(backupDir);
    expect(backups).toEqual(['2026-02-03T04-05-06.000Z-version-1.db']);
    expect(statSync(backupDir).mode & 0o777).toBe(0o700);
    expect(statSync(`${backupDir}/${backups[0]}`).mode & 0o777).toBe(0o600);
    const backup = new DatabaseSync(`${backupDir}/${backups[0]}`, { readOnly: true });
    expect(databaseVersion(backup)).toBe(1);
    expect(backup.prepare('SELECT title FROM chats').all()).toEqual([{ title: 'Old chat' }]);
    backup.close();
  });

  it('keeps the last three backups', () => {
    const dir = tempDir();
    versionOne(dir);
    for (let day = 1; day <= 5; day += 1) {
      const { db } = open(dir, new Date(Date.UTC(2026, 0, day)));
      db.exec('PRAGMA user_version = 1; DROP TABLE journal');
      db.close();
    }
    expect(readdirSync(`${dir}/backups`).map((name) => name.slice(0, 10))).toEqual([
      '2026-01-03',
      '2026-01-04',
      '2026-01-05',
    ]);
  });

  it('leaves the old version when a step fails', () => {
    const dir = tempDir();
    versionOne(dir);
    const db = openConnection(`${dir}/tandem.db`);
    db.exec('CREATE TABLE journal (in_the_way TEXT)');
    expect(() => migrate(db, `${dir}/backups`, NOW)).toThrow(/journal/);
    expect(databaseVersion(db)).toBe(1);
    db.close();
  });

  it('opens a database of a newer version read-only and reports it', () => {
    const dir = tempDir();
    const first = open(dir);
    chatQueries(first.db, '').addTurn({ chat: { id: 'a', title: 'A' }, ...turn('a', 1) });
    first.db.exec(`PRAGMA user_version = ${DATABASE_VERSION + 1}`);
    first.db.close();

    const { db, readOnly, warnings } = open(dir);
    expect(readOnly).toBe(true);
    expect(warnings).toEqual([
      {
        code: 'database_newer',
        message: expect.stringContaining('Update Tandem'),
        details: { path: `${dir}/tandem.db`, version: DATABASE_VERSION + 1 },
      },
    ]);
    expect(chatQueries(db, '').listChats()).toHaveLength(1);
    expect(() => chatQueries(db, '').renameChat('a', 'B')).toThrow(/readonly/);
  });

  it.each([
    ['no database at all', () => Buffer.from('this is not a database'.repeat(500))],
    [
      'a damaged page',
      (good: Buffer) => {
        good.fill(0xff, 4096, 8192);
        return good;
      },
    ],
  ])('sets %s aside, named and unchanged, and starts a new one', (_name, damage) => {
    const dir = tempDir();
    versionOne(dir);
    const broken = damage(readFileSync(`${dir}/tandem.db`));
    writeFileSync(`${dir}/tandem.db`, broken);

    const { db, warnings } = open(dir);
    const aside = `${dir}/tandem.unreadable-2026-02-03T04-05-06.000Z.db`;
    expect(warnings).toEqual([
      {
        code: 'database_unreadable',
        message: expect.stringContaining(aside),
        details: { path: aside },
      },
    ]);
    expect(readFileSync(aside).equals(broken)).toBe(true);
    expect(chatQueries(db, '').listChats()).toEqual([]);
  });
});
