import { watch } from 'node:fs';

/**
 * Tells of changes in a folder. `recursive` covers what lies below it, at the price of one descriptor where the system
 * can do that (macOS). Returns what ends it. Throws where the folder cannot be watched; `onError` says that it cannot
 * be any more, after which nothing is told.
 */
export type FolderWatch = (
  folder: string,
  recursive: boolean,
  onChange: () => void,
  onError: (error: unknown) => void,
) => () => void;

export const nodeFolderWatch: FolderWatch = (folder, recursive, onChange, onError) => {
  const watcher = watch(folder, { recursive, persistent: false });
  watcher.on('change', () => onChange());
  watcher.on('error', (error) => {
    watcher.close();
    onError(error);
  });
  return () => watcher.close();
};
