import { watch } from 'node:fs';

/**
 * Reports changes in a folder. `recursive` includes its subfolders, for one descriptor if the system supports that
 * (macOS). `onChange` receives the path that changed, below the folder; null = unknown. Returns a function that ends the
 * watch. Throws if the folder cannot be watched; `onError` reports that watching has failed, after which no changes are
 * reported.
 */
export type FolderWatch = (
  folder: string,
  recursive: boolean,
  onChange: (name: string | null) => void,
  onError: (error: unknown) => void,
) => () => void;

export const nodeFolderWatch: FolderWatch = (folder, recursive, onChange, onError) => {
  const watcher = watch(folder, { recursive, persistent: false });
  watcher.on('change', (_event, name) => onChange(name === null ? null : String(name)));
  watcher.on('error', (error) => {
    watcher.close();
    onError(error);
  });
  return () => watcher.close();
};
