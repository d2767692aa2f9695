import { describe, expect, it } from 'vitest';
import type { Logger } from '../../../src/main/ports/logger';
import { silentLogger } from '../../../src/main/ports/logger';
import { connect } from '../../../src/main/store/database';
import { journalQueries } from '../../../src/main/store/journal';
import { JournalBuffer } from '../../../src/main/store/journal-buffer';
import { migrate } from '../../../src/main/store/migrations';
import type { JournalRow } from '../../../src/main/store/types';
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

describe('journalQueries', () => {
  it('keeps the newest rows only', () => {
    const db = connect(`${tempDir()}/tandem.db`);
    migrate(db, '', new Date(0));
    const journal = journalQueries(db, 3);
    journal.writeJournal(['a', 'b', 'c', 'd'].map(row));
    journal.writeJournal([row('e')]);
    expect(journal.recentJournal(10).map(({ id }) => id)).toEqual(['e', 'd', 'c']);
    db.close();
  });
});

describe('a bad row', () => {
  it('keeps its good columns, and never costs the others', () => {
    const db = connect(`${tempDir()}/tandem.db`);
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
    const rows = new Map(journal.recentJournal(10).map((each) => [each.id, each]));
    expect([...rows.keys()]).toEqual(['last', 'missing', 'inherited', 'large', 'text', 'first']);
    expect(rows.get('text')).toMatchObject({ completionTokens: null, promptTokens: 2 });
    expect(rows.get('large')).toMatchObject({
      completionTokens: Number.MAX_SAFE_INTEGER,
      queueMs: null,
      totalMs: 0,
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

  it('says how many rows could not be written, and goes on', async () => {
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
