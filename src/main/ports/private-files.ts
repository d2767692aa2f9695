import { chmodSync, lstatSync } from 'node:fs';
import { chmod, lstat, mkdir, stat } from 'node:fs/promises';

/**
 * Creates a folder that only its owner may enter (0700), and narrows the rights of an existing one. If the path is a
 * link, the rights of its target are not ours and stay.
 */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if ((await lstat(path)).isSymbolicLink()) return;
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o700);
}

/** Restricts a file to its owner (0600); the target of a link keeps its rights. */
export function makePrivateFile(path: string): void {
  if (!lstatSync(path).isSymbolicLink()) chmodSync(path, 0o600);
}
