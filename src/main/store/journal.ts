import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from './chats';
import type { StoreQueries } from './store-protocol';
import type { JournalRow } from './types';

/** Rows kept; the oldest go first. */
const KEPT_ROWS = 100_000;

/** Our field names and the table's columns, in one order. */
const COLUMNS = {
  id: 'id',
  at: 'at',
  origin: 'origin',
  client: 'client',
  priority: 'priority',
  category: 'category',
  backend: 'backend',
  model: 'model',
  reasons: 'reasons',
  outcome: 'outcome',
  code: 'code',
  queueMs: 'queue_ms',
  ttftMs: 'ttft_ms',
  totalMs: 'total_ms',
  promptTokens: 'prompt_tokens',
  completionTokens: 'completion_tokens',
  replays: 'replays',
} as const satisfies Record<keyof JournalRow, string>;

const FIELDS = Object.keys(COLUMNS) as (keyof JournalRow)[];

/** The request journal: metadata only. Throws SQLite's errors as they are. */
export function journalQueries(
  db: DatabaseSync,
  keptRows = KEPT_ROWS,
): Pick<StoreQueries, 'recentJournal' | 'writeJournal'> {
  const columns = Object.values(COLUMNS);
  return {
    writeJournal(batch) {
      inTransaction(db, () => {
        const insert = db.prepare(
          `INSERT INTO journal (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
        );
        for (const row of batch) insert.run(...FIELDS.map((field) => toColumn(row[field])));
        db.prepare('DELETE FROM journal WHERE seq <= (SELECT max(seq) FROM journal) - ?').run(keptRows);
      });
    },

    recentJournal: (limit) =>
      db.prepare('SELECT * FROM journal ORDER BY seq DESC LIMIT ?').all(limit).map(toRow),
  };
}

function toColumn(value: JournalRow[keyof JournalRow]): string | number | null {
  return Array.isArray(value) ? JSON.stringify(value) : value;
}

function toRow(columns: Record<string, unknown>): JournalRow {
  const row = Object.fromEntries(FIELDS.map((field) => [field, columns[COLUMNS[field]]]));
  return { ...row, reasons: JSON.parse(String(row.reasons)) } as unknown as JournalRow;
}
