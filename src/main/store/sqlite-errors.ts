import { TandemError, toTandemError } from '../../shared/errors';
import { errorCode } from '../ports/file-store';

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
/** The row violates a constraint of the table, or a value has not the column's type. */
export const SQLITE_CONSTRAINT = 19;
export const SQLITE_MISMATCH = 20;
const SQLITE_NOTADB = 26;
/** Extended code: a row refers to a missing row. */
const SQLITE_CONSTRAINT_FOREIGNKEY = 787;

/** The primary result code of a failed SQLite call; null for another error. */
export function sqliteCode(error: unknown): number | null {
  const extended = extendedCode(error);
  return extended === null ? null : extended & 0xff;
}

/** Is the file itself unusable, so that it must be renamed? */
export function isUnreadable(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB || code === SQLITE_CANTOPEN;
}

/** Maps SQLite's failures to our codes. SQLite's own messages contain no values, so no message text can leak. */
export function toStoreError(error: unknown): TandemError {
  if (extendedCode(error) === SQLITE_CONSTRAINT_FOREIGNKEY) {
    return new TandemError('not_found', 'This chat does not exist any more. Start a new one.', {
      cause: error,
    });
  }
  if (errorCode(error) === 'ENOSPC' || errorCode(error) === 'EDQUOT') return diskFull(error);
  switch (sqliteCode(error)) {
    case SQLITE_FULL:
      return diskFull(error);
    case SQLITE_READONLY:
      return new TandemError(
        'read_only',
        'The database is opened read-only; the warning at start says why. Nothing was changed.',
        { cause: error },
      );
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
      return new TandemError(
        'database_unreadable',
        'The database cannot be read. Restart Tandem: it keeps the damaged file and starts a new one.',
        { cause: error },
      );
    default:
      return toTandemError(error);
  }
}

function diskFull(cause: unknown): TandemError {
  return new TandemError(
    'disk_full',
    'The disk is full, nothing was saved. Free some space, then try again.',
    {
      cause,
    },
  );
}

function extendedCode(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode
    : null;
}
