import { unlinkSync } from 'node:fs';
import { openConnection } from './database';
import { listBackups } from './migrations';
import { isUnreadable } from './sqlite-errors';

/**
 * Erases chats from the backups too. Deletes a damaged backup, since its remaining content is unknown. Throws SQLite's
 * error if an intact backup cannot be changed.
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
    // Leaves one file, as `backUp` wrote it.
    backup.exec('PRAGMA journal_mode = DELETE');
  } finally {
    backup.close();
  }
}
