import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { PassThrough } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../../../src/main/ports/logger';
import { openLog } from '../../../src/main/ports/pino-logger';
import { DATABASE_VERSION } from '../../../src/main/store/migrations';
import { openStore } from '../../../src/main/store/store-client';
import type { JournalRow } from '../../../src/shared/journal';

import { type BuiltEntry, buildEntry, buildStoreWorker } from '../../support/build-worker';
import { FakeClock } from '../../support/fake-clock';
import { killAfter } from '../../support/kill-after';
import { turn } from '../../support/messages';
import { filesContaining, tempDir } from '../../support/temp-dir';

let worker: BuiltEntry;
let writer: BuiltEntry;
beforeAll(async () => {
  [worker, writer] = await Promise.all([buildStoreWorker(), buildEntry('test/support/store-writer.ts')]);
});
afterAll(async () => {
  await Promise.all([worker?.remove(), writer?.remove()]);
});

async function open(dataDir: string, clock = new FakeClock()) {
  const store = await openStore({ dataDir, workerUrl: worker.url, logger: silentLogger, clock });
  onTestFinished(() => store.close());
  return { store, clock };
}

function journalRow(id: string): JournalRow {
  return {
    id,
    at: 1,
    origin: 'gateway',
    client: 'curl',
    priority: 'medium',
    category: 'fast',
    backend: 'mlx',
    model: 'starter',
    reasons: ['rule:greeting', 'setting:only-light'],
    outcome: 'done',
    code: null,
    queueMs: 1.5,
    ttftMs: null,
    totalMs: 20,
    promptTokens: 3,
    completionTokens: 4,
    replays: 0,
  };
}

function journalOf(dir: string): Record<string, unknown>[] {
  const db = new DatabaseSync(`${dir}/tandem.db`, { readOnly: true });
  const rows = db.prepare('SELECT * FROM journal ORDER BY seq').all();
  db.close();
  return rows;
}

function setVersion(dir: string, version: number): void {
  const db = new DatabaseSync(`${dir}/tandem.db`);
  db.exec(`PRAGMA user_version = ${version}`);
  db.close();
}

describe('openStore', () => {
  it('keeps chats over a restart and can be closed twice', async () => {
    const dir = tempDir();
    const { store } = await open(dir);
    const { user, answer } = turn('a', 1);
    await store.addTurn({ chat: { id: 'a', title: 'A' }, user, answer });
    await store.close();
    await store.close();
    await expect(store.listChats()).rejects.toMatchObject({ code: 'database_unreadable' });

    const again = await open(dir);
    expect(again.store.warnings).toEqual([]);
    expect(await again.store.messages('a')).toEqual([user, answer]);
  });

  it('rejects with our codes across the thread', async () => {
    const { store } = await open(tempDir());
    await expect(store.renameChat('none', 'x')).rejects.toMatchObject({
      name: 'TandemError',
      code: 'not_found',
    });
  });

  it('returns a warning for an unreadable database and continues with a new one', async () => {
    const dir = tempDir();
    writeFileSync(`${dir}/tandem.db`, 'garbage'.repeat(1000));
    const { store } = await open(dir);
    expect(store.warnings.map((warning) => warning.code)).toEqual(['database_unreadable']);
    expect(await store.listChats()).toEqual([]);
  });

  it('rejects every call once the worker died, including running ones', async () => {
    const dir = tempDir();
    const dying = `${dir}/dying.mjs`;
    writeFileSync(
      dying,
      `import { parentPort } from 'node:worker_threads';
       parentPort.postMessage({ type: 'opened', readOnly: false, warnings: [], methods: ['listChats', 'writeJournal'] });
       parentPort.on('message', () => process.exit(1));`,
    );
    const store = await openStore({ dataDir: dir, workerUrl: pathToFileURL(dying), logger: silentLogger });
    await expect(store.listChats()).rejects.toMatchObject({ code: 'database_unreadable' });
    await expect(store.listChats()).rejects.toMatchObject({ code: 'database_unreadable' });
    store.journal(journalRow('lost'));
    await store.close();
  });

  it('rejects when there is no worker to run', async () => {
    const workerUrl = pathToFileURL(`${tempDir()}/none.mjs`);
    const opening = openStore({ dataDir: tempDir(), workerUrl, logger: silentLogger });
    await expect(opening).rejects.toMatchObject({ code: 'database_unreadable' });
  });

  it('puts no message text into its errors, its journal or the log', async () => {
    const dir = tempDir();
    const stderr = new PassThrough();
    const log = await openLog({ dataDir: dir, json: true, stderr, level: 'debug' });
    const store = await openStore({ dataDir: dir, workerUrl: worker.url, logger: log.logger });
    const { user, answer } = turn('a', 1, 'canary-text');
    await store.addTurn({ chat: { id: 'a', title: 'canary-title' }, user, answer });
    const failures = await Promise.allSettled([
      store.addTurn({ chat: { id: 'a', title: 'canary-title' }, user, answer }),
      store.addAnswer({ ...answer, id: 'x', chatId: 'none', text: 'canary-answer' }),
      store.saveAnswer({ ...answer, text: 'canary-answer', status: 'done' }),
      store.searchChats('canary-query'),
    ]);
    for (const failure of failures) {
      if (failure.status === 'rejected') log.logger.error('store_failed', { error: failure.reason });
    }
    expect(failures.map((failure) => failure.status)).toEqual([
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    store.journal(journalRow('x'));
    await store.close();
    expect(JSON.stringify(journalOf(dir))).not.toContain('canary');
    await log.close();
    expect(String(stderr.read())).toContain('store_failed');
    expect(filesContaining(dir, 'canary').filter((file) => !file.startsWith('tandem.db'))).toEqual([]);
    expect(filesContaining(dir, 'store_failed')).toEqual(['logs/tandem.log']);
  });

  it('rejects when the folder cannot store a database', async () => {
    const dir = tempDir();
    writeFileSync(`${dir}/file`, '');
    const opening = openStore({ dataDir: `${dir}/file`, workerUrl: worker.url, logger: silentLogger });
    await expect(opening).rejects.toMatchObject({ name: 'TandemError' });
  });

  it('reads a newer database, rejects changes and drops journal rows', async () => {
    const dir = tempDir();
    const first = await open(dir);
    await first.store.addTurn({ chat: { id: 'a', title: 'A' }, ...turn('a', 1) });
    await first.store.close();
    setVersion(dir, DATABASE_VERSION + 1);

    const { store } = await open(dir);
    expect(store.readOnly).toBe(true);
    expect(store.warnings.map((warning) => warning.code)).toEqual(['database_newer']);
    expect(await store.recover()).toEqual({ interrupted: 0, erased: 0 });
    expect(await store.listChats()).toHaveLength(1);
    await expect(store.renameChat('a', 'B')).rejects.toMatchObject({ code: 'read_only' });
    store.journal(journalRow('x'));
    expect(await store.modelUses()).toEqual([]);
  });

  it('writes the journal in one batch after a second, in order', async () => {
    const dir = tempDir();
    const { store, clock } = await open(dir);
    store.journal(journalRow('one'));
    store.journal(journalRow('two'));
    expect(clock.pending).toBe(1);
    await clock.advance(1000);
    expect(clock.pending).toBe(0);
    expect(await store.modelUses()).toEqual([
      { backend: 'mlx', model: 'starter', useCount: 2, lastUsedAt: 1 },
    ]);
    expect(journalOf(dir)).toMatchObject([
      {
        id: 'one',
        reasons: '["rule:greeting","setting:only-light"]',
        outcome: 'done',
        queue_ms: 1.5,
        ttft_ms: null,
        completion_tokens: 4,
      },
      { id: 'two' },
    ]);
  });

  it('writes the pending journal rows when it closes', async () => {
    const dir = tempDir();
    const first = await open(dir);
    first.store.journal(journalRow('last'));
    await first.store.close();
    expect(journalOf(dir)).toMatchObject([{ id: 'last' }]);
    const { store } = await open(dir);
    expect(await store.modelUses()).toMatchObject([{ model: 'starter', useCount: 1 }]);
  });

  it('loses nothing that was saved when the process is killed during an answer', async () => {
    const dir = tempDir();
    const saved = Number(await killAfter(50, [fileURLToPath(writer.url), dir, worker.url.href]));

    const { store } = await open(dir);
    expect(store.warnings).toEqual([]);
    const answer = await store.message('answer');
    expect(answer?.text.length).toBeGreaterThanOrEqual(saved);
    expect(answer?.text.replaceAll('Once upon a time. ', '')).toBe('');
    expect(await store.recover()).toEqual({ interrupted: 1, erased: 0 });
    expect(await store.message('answer')).toMatchObject({ status: 'stopped' });
  });
});
