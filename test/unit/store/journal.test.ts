import type { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { Logger } from '../../../src/main/ports/logger';
import { silentLogger } from '../../../src/main/ports/logger';
import { openConnection } from '../../../src/main/store/database';
import { journalQueries } from '../../../src/main/store/journal';
import { JournalBuffer } from '../../../src/main/store/journal-buffer';
import { migrate } from '../../../src/main/store/migrations';
import type { JournalRow } from '../../../src/shared/journal';

import { FakeClock } from '../../support/fake-clock';
import { tempDir } from '../../support/temp-dir';

const row = (id: string): JournalRow => ({
  id,
  at: 1,
  origin: 'chat',
  client: 'ui',
  priority: 'high',
  category: null,
  backend: null,
  model: null,
  reasons: [],
  outcome: 'failed',
  code: 'no_model',
  queueMs: null,
  ttftMs: null,
  totalMs: 1,
  promptTokens: null,
  completionTokens: null,
  replays: 0,
});

const rowsOf = (db: DatabaseSync) => db.prepare('SELECT * FROM journal ORDER BY seq').all();

describe('journalQueries', () => {
  it('keeps only the newest rows', () => {
    const db = openConnection(`${tempDir()}/tandem.db`);
    migrate(db, '', new Date(0));
    const journal = journalQueries(db, 3);
    journal.writeJournal(['a', 'b', 'c', 'd'].map(row));
    journal.writeJournal([row('e')]);
    expect(rowsOf(db).map(({ id }) => id)).toEqual(['c', 'd', 'e']);
    db.close();
  });

  it('reports how often and when each model has answered, from the stored rows', () => {
    const db = openConnection(`${tempDir()}/tandem.db`);
    migrate(db, '', new Date(0));
    const journal = journalQueries(db, 4);
    const done = (at: number, backend: string | null, model: string | null) =>
      ({ ...row(`at${at}`), at, backend, model, outcome: 'done' }) as JournalRow;
    journal.writeJournal([
      done(1, 'mlx', 'a'),
      done(2, 'mlx', 'a'),
      { ...done(9, 'mlx', 'a'), outcome: 'failed' },
      done(3, 'ollama', 'a'),
      done(4, null, null),
    ]);
    expect(journal.modelUses()).toEqual([
      { backend: 'mlx', model: 'a', useCount: 1, lastUsedAt: 2 },
      { backend: 'ollama', model: 'a', useCount: 1, lastUsedAt: 3 },
    ]);
    db.close();
  });
});

describe('a bad row', () => {
  it('keeps its valid columns, and never affects other rows', () => {
    const db = openConnection(`${tempDir()}/tandem.db`);
    migrate(db, '', new Date(0));
    const journal = journalQueries(db);
    const bad = (id: string, columns: Record<string, unknown>) => ({ ...row(id), ...columns }) as JournalRow;
    const refused = journal.writeJournal([
      row('first'),
      bad('text', { completionTokens: 'abc', promptTokens: 1.5 }),
      bad('large', { completionTokens: 1e308, queueMs: Number.NaN, totalMs: Number.POSITIVE_INFINITY }),
      bad('inherited', { category: Object, reasons: [] }),
      bad('none', { origin: null }),
      bad('missing', { ttftMs: undefined, model: undefined }),
      row('last'),
    ]);
    expect(refused).toBe(1);
    const rows = new Map(rowsOf(db).map((each) => [each.id, each]));
    expect([...rows.keys()]).toEqual(['first', 'text', 'large', 'inherited', 'missing', 'last']);
    expect(rows.get('text')).toMatchObject({ completion_tokens: null, prompt_tokens: 2 });
    expect(rows.get('large')).toMatchObject({
      completion_tokens: Number.MAX_SAFE_INTEGER,
      queue_ms: null,
      total_ms: 0,
    });
    db.close();
  });
});

describe('JournalBuffer', () => {
  function buffer(write: (rows: JournalRow[]) => Promise<number>, logger = silentLogger) {
    const clock = new FakeClock();
    return { clock, journal: new JournalBuffer(clock, logger, write) };
  }

  it('writes after a second, or at once when a hundred rows wait', async () => {
    const batches: number[] = [];
    const { clock, journal } = buffer(async (rows) => {
      batches.push(rows.length);
      return 0;
    });
    journal.add(row('a'));
    await clock.advance(999);
    expect(batches).toEqual([]);
    await clock.advance(1);
    expect(batches).toEqual([1]);
    for (let i = 0; i < 250; i += 1) journal.add(row(`${i}`));
    expect(batches).toEqual([1, 100, 100]);
    await clock.advance(1000);
    expect(batches).toEqual([1, 100, 100, 50]);
    expect(clock.pending).toBe(0);
  });

  it('is bounded while the database is blocked, and reports the dropped rows', async () => {
    const warnings: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (event, fields) => warnings.push([event, fields?.rows]) };
    const disk = Promise.withResolvers<number>();
    let given = 0;
    const { journal } = buffer((rows) => {
      given += rows.length;
      return disk.promise;
    }, logger);
    for (let i = 0; i < 10_250; i += 1) journal.add(row(`${i}`));
    expect(given).toBe(10_000);
    disk.resolve(0);
    await journal.flush();
    await expect.poll(() => warnings).toEqual([['journal_rows_dropped', 250]]);
    journal.add(row('after'));
    await journal.flush();
    expect(given).toBe(10_001);
  });

  it('reports how many rows could not be written, and continues', async () => {
    const warnings: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (event, fields) => warnings.push([event, fields?.rows]) };
    let full = true;
    const written: string[] = [];
    const { journal } = buffer(async (rows) => {
      if (full) throw new Error('full');
      written.push(...rows.map(({ id }) => id));
      return 0;
    }, logger);
    journal.add(row('lost'));
    await journal.flush();
    full = false;
    journal.add(row('kept'));
    await journal.flush();
    expect(warnings).toEqual([['journal_write_failed', 1]]);
    expect(written).toEqual(['kept']);
  });
});
