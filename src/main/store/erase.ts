import { unlinkSync } from 'node:fs';
import { openConnection } from './database';
import { listBackups } from './migrations';
import { isUnreadable } from './sqlite-errors';

/**
 * Removes chats from the backups too: deleted means gone. A backup that is damaged is removed whole, since nobody can
 * tell what it still holds. Throws SQLite's error when a good one cannot be changed.
 */
export function eraseFromBackups(backupDir: string, chatIds: readonly string[]): void {
  for (const file of listBackups(backupDir)) {
    try {
      eraseFrom(file, chatIds);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      unlinkSync(file);
    }
  }
}

function eraseFrom(file: string, chatIds: readonly string[]): void {
  const backup = openConnection(file);
  try {
    const remove = backup.prepare('DELETE FROM chats WHERE id = ?');
    for (const id of chatIds) remove.run(id);
    // Leaves one file, as it was made.
    backup.exec('PRAGMA journal_mode = DELETE');
  } finally {
    backup.close();
  }
}
