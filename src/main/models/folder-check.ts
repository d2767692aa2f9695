import type { ChildRequest } from './scan-child';
import { runScanProcess, type ScanProcess } from './scan-process';

/** Long enough for a disk that wakes up; a network volume that hangs must not hold up whoever asks. */
const LIMIT_MS = 5_000;

/**
 * Is there a folder of this path that can be read? Asked in a process of its own, since a call to a volume that hangs
 * would keep a thread of ours. False also when nothing answers within 5 s. Rejects when that process cannot run.
 */
export async function isReadableFolder(process: ScanProcess, path: string): Promise<boolean> {
  const request: ChildRequest = { folder: path };
  let isFolder = false;
  await runScanProcess(process, request, (line) => (isFolder = line === true), { silenceMs: LIMIT_MS });
  return isFolder;
}
