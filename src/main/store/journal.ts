import type { DatabaseSync } from 'node:sqlite';
import type { JournalRow } from '../../shared/journal';
import { inTransaction } from './migrations';
import { SQLITE_CONSTRAINT, SQLITE_MISMATCH, sqliteCode } from './sqlite-errors';
import type { StoreQueries } from './store-protocol';
import type { ModelUse } from './types';

/** Limit of rows, a month at a thousand requests a day; the oldest are deleted. */
const KEPT_ROWS = 30_000;

/** Our field names and the table's columns, in the same order. */
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

const NUMBERS: ReadonlySet<keyof JournalRow> = new Set([
  'at',
  'queueMs',
  'ttftMs',
  'totalMs',
  'promptTokens',
  'completionTokens',
  'replays',
]);
/** Numbers that the table requires. */
const NEEDED: ReadonlySet<keyof JournalRow> = new Set(['at', 'totalMs', 'replays']);

const FIELDS = Object.keys(COLUMNS) as (keyof JournalRow)[];

/** The request journal: metadata only. Throws SQLite's errors unchanged. */
export function journalQueries(
  db: DatabaseSync,
  keptRows = KEPT_ROWS,
): Pick<StoreQueries, 'modelUses' | 'writeJournal'> {
  const columns = Object.values(COLUMNS);
  return {
    writeJournal(batch) {
      let refused = 0;
      inTransaction(db, () => {
        const insert = db.prepare(
          `INSERT INTO journal (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
        );
        for (const row of batch) {
          if (!tryInsert(() => insert.run(...FIELDS.map((field) => toColumn(field, row[field])))))
            refused += 1;
        }
        db.prepare('DELETE FROM journal WHERE seq <= (SELECT max(seq) FROM journal) - ?').run(keptRows);
      });
      return refused;
    },

    modelUses: () =>
      db
        .prepare(
          `SELECT backend, model, count(*) AS useCount, max(at) AS lastUsedAt FROM journal
           WHERE outcome = 'done' AND backend IS NOT NULL AND model IS NOT NULL GROUP BY backend, model`,
        )
        .all()
        .map((row) => ({ ...row }) as unknown as ModelUse),
  };
}

/** False if the table refuses this row; errors that concern all rows, such as a full disk, are thrown. */
function tryInsert(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    const code = sqliteCode(error);
    if (code === null || code === SQLITE_CONSTRAINT || code === SQLITE_MISMATCH) return false;
    throw error;
  }
}

/** Rows contain values that servers report; an invalid number must not cost the row. */
function toColumn(field: keyof JournalRow, value: unknown): string | number | null {
  if (Array.isArray(value)) return JSON.stringify(value);
  if (!NUMBERS.has(field)) return typeof value === 'string' ? value : null;
  if (typeof value !== 'number' || !Number.isFinite(value)) return NEEDED.has(field) ? 0 : null;
  const bounded = Math.min(Math.max(value, 0), Number.MAX_SAFE_INTEGER);
  return field.endsWith('Ms') ? bounded : Math.round(bounded);
}
