import { chmodSync, lstatSync } from 'node:fs';
import { chmod, lstat, mkdir, stat } from 'node:fs/promises';

/**
 * Makes a folder that only its owner may enter (0700), also when it exists with wider rights. Where a link stands in
 * its place, the rights of the folder behind it are somebody else's choice and stay.
 */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if ((await lstat(path)).isSymbolicLink()) return;
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o700);
}

/** Closes a file to all but its owner (0600); what a link leads to keeps its rights. */
export function makePrivateFile(path: string): void {
  if (!lstatSync(path).isSymbolicLink()) chmodSync(path, 0o600);
}
