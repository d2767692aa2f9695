import type { ChildRequest } from './scan-child';
import { runScanProcess, type ScanProcess } from './scan-process';

/** Long enough for a disk to wake up; short enough that a hung network volume does not block the caller. */
const LIMIT_MS = 5_000;

/**
 * Is this path a readable folder? Checked in a separate process, since a call to a hung volume would block a thread of
 * this one. False also after 5 s without a response. Rejects if that process cannot run.
 */
export async function isReadableFolder(process: ScanProcess, path: string): Promise<boolean> {
  const request: ChildRequest = { folder: path };
  let isFolder = false;
  await runScanProcess(process, request, (line) => (isFolder = line === true), { silenceMs: LIMIT_MS });
  return isFolder;
}
