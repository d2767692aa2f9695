import { readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, NO_SERVERS, startApp, until } from '../support/app';
import { connect } from '../support/contract-client';
import { CODE, COUNTING, startCountingApp } from '../support/counting-app';
import { startFakeOllama } from '../support/fake-ollama';
import { spawnHost } from '../support/host-process';
import { seeded } from '../support/seeded';
import { tempDir } from '../support/temp-dir';

/** `kill -9` of the app at the worst moments, and folders that it cannot write. On the built host. */

const AUTO = { kind: 'auto' } as const;

/** Temporary files that a kill in the middle of a write leaves, and backups of half a database. */
function halfFiles(dataDir: string): string[] {
  return readdirSync(dataDir, { recursive: true })
    .map(String)
    .filter((name) => /\.tmp(-journal)?$/.test(name));
}

function messagesIn(dataDir: string): { role: string; text: string; status: string | null }[] {
  const db = new DatabaseSync(join(dataDir, 'tandem.db'), { readOnly: true });
  try {
    const rows = db.prepare('SELECT role, text, status FROM messages ORDER BY seq').all();
    return rows as ReturnType<typeof messagesIn>;
  } finally {
    db.close();
  }
}

describe('kill -9', () => {
  it('in the middle of settings writes, sent messages and streams loses nothing that was acknowledged', async () => {
    const dataDir = tempDir();
    const random = seeded(7);
    const fake = await startFakeOllama({ words: 500, everyMs: 5 });
    onTestFinished(() => fake.close());
    const said: string[] = [];
    let saved = 0;
    for (let life = 0; life < 6; life += 1) {
      const app = await startApp({ dataDir, env: { ...NO_SERVERS, OLLAMA_API_URL: fake.url } });
      const ui = await connect(app.ready.web);
      expect((await ui.snapshot()).settings.rateLimitMax?.value ?? 0).toBeGreaterThanOrEqual(saved);
      const working = Promise.all([
        busyWith(async (turn) => {
          const value = life * 1000 + turn + 1;
          await ui.value('settingsSet', { key: 'rateLimitMax', value });
          saved = value;
        }),
        busyWith(async (turn) => {
          const text = `${CODE}, ${life}.${turn}`;
          await ui.value('chatSend', { chatId: null, text, target: AUTO });
          said.push(text);
        }),
      ]);
      const enough = said.length + 4;
      await until(async () => said.length >= enough, 'some messages are acknowledged');
      await pause(random() * 300);
      await app.kill();
      await working;
    }
    const app = await startApp({ dataDir, env: { ...NO_SERVERS, OLLAMA_API_URL: fake.url } });
    onTestFinished(async () => void (await app.stop()));
    const ui = await connect(app.ready.web);
    const { settings, warnings } = await ui.snapshot();
    expect(settings.rateLimitMax?.value).toBeGreaterThanOrEqual(saved);
    expect(warnings.map(({ code }) => code).filter((code) => /corrupt|unreadable/.test(code))).toEqual([]);
    const messages = messagesIn(dataDir);
    const kept = messages.filter(({ role }) => role === 'user').map(({ text }) => text);
    expect(said.length).toBeGreaterThan(20);
    expect(said.filter((text) => !kept.includes(text))).toEqual([]);
    expect(messages.filter(({ status }) => status === 'queued' || status === 'streaming')).toEqual([]);
    expect(halfFiles(dataDir)).toEqual([]);
  });

  it('in the middle of a migration leaves the old database or the new one, and only complete backups', async () => {
    const rows = 60_000;
    const dataDir = await cutMigration(rows);
    const app = await startApp({ dataDir, env: NO_SERVERS });
    onTestFinished(async () => void (await app.stop()));
    expect(messagesIn(dataDir)).toHaveLength(rows);
    expect(halfFiles(dataDir)).toEqual([]);
    for (const name of readdirSync(join(dataDir, 'backups'))) {
      const backup = new DatabaseSync(join(dataDir, 'backups', name), { readOnly: true });
      expect(backup.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      backup.close();
    }
  });
});

describe('a log folder that cannot be written', () => {
  it('loses the log, not the servers', async () => {
    const dataDir = tempDir();
    // Not even root can create a file there.
    symlinkSync('/proc/self/nowhere', join(dataDir, 'logs'));
    const app = await startCountingApp({ dataDir });
    onTestFinished(async () => void (await app.stop()));
    expect(app.log()).toMatch(/log_file_failed/);
    await until(async () => (await app.health()).backends.ollama?.state === 'ready', 'Ollama ready');
    expect(await ask(app.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
    expect(await ask(app.ready.gateway, 'hello', { model: `ollama/${COUNTING}` })).toMatchObject({
      status: 200,
      backend: 'ollama',
    });
  });
});

/**
 * A data folder in which the host was killed during a migration. If the migration was faster than the signal, it tries
 * again in another folder.
 */
async function cutMigration(rows: number): Promise<string> {
  for (;;) {
    const dataDir = tempDir();
    writeFirstVersion(join(dataDir, 'tandem.db'), rows);
    const backups = join(dataDir, 'backups');
    for (let ms = 0; versionOf(dataDir) === 1; ms += 10) {
      const before = countIn(backups);
      const host = spawnHost({ dataDir, env: NO_SERVERS });
      while (countIn(backups) === before) await pause(1);
      await pause(ms);
      host.child.kill('SIGKILL');
      await host.ended;
      if (halfFiles(dataDir).length > 0) return dataDir;
    }
  }
}

/** Repeats an action until the host is gone. */
async function busyWith(act: (turn: number) => Promise<void>): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    try {
      await act(turn);
    } catch {
      return;
    }
  }
}

const countIn = (folder: string): number => {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
};

function versionOf(dataDir: string): number {
  const db = new DatabaseSync(join(dataDir, 'tandem.db'));
  try {
    return Number(db.prepare('PRAGMA user_version').get()?.user_version);
  } finally {
    db.close();
  }
}

/** A database as the first version wrote it, large enough that its copy takes a moment. */
function writeFirstVersion(file: string, rows: number): void {
  const db = new DatabaseSync(file);
  db.exec(`CREATE TABLE chats (id TEXT PRIMARY KEY, title TEXT NOT NULL, created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL, hidden INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE TABLE messages (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
      chat_id TEXT NOT NULL REFERENCES chats(id) ON DELETE CASCADE, role TEXT NOT NULL, reply_to TEXT,
      text TEXT NOT NULL, status TEXT, meta TEXT, at INTEGER NOT NULL) STRICT;
    CREATE INDEX messages_by_chat ON messages (chat_id, seq);
    PRAGMA user_version = 1;
    INSERT INTO chats VALUES ('c', 'old', 1, 1, 0);
    BEGIN`);
  const insert = db.prepare(
    "INSERT INTO messages (id, chat_id, role, text, at) VALUES (?, 'c', 'user', ?, 1)",
  );
  for (let row = 0; row < rows; row += 1) insert.run(`m${row}`, `message ${row} ${'x'.repeat(300)}`);
  db.exec('COMMIT');
  db.close();
}
