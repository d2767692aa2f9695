import { TandemError } from '../../shared/errors';
import type { Kept } from './folder-remove';
import type { ChildRequest } from './scan-child';
import { runScanProcess, type ScanProcess } from './scan-process';
import type { ModelPlace } from './scan-result';

/** Counting the files of a model, or deleting one, on a slow disk takes seconds; a hung volume takes forever. */
const LIMIT_MS = 60_000;

/** The child's answer about a model's folder. */
export type FilesAnswer = { bytes: number } | { kept: Kept | null } | { failed: string };

/** Bytes on disk of a model's folder; null = unknown, such as on a volume that does not respond. Never rejects. */
export async function measureModel(process: ScanProcess, place: ModelPlace): Promise<number | null> {
  const answer = await ask(process, { measure: place }).catch(() => null);
  return answer !== null && 'bytes' in answer ? answer.bytes : null;
}

/**
 * Deletes a model's folder, in a process of its own. Rejects with `not_deletable` if it is a link or lies outside the
 * scanned place, with `timeout` if the volume does not respond, and with `internal` if the system refuses.
 */
export async function deleteModelFiles(process: ScanProcess, place: ModelPlace): Promise<void> {
  const answer = await ask(process, { remove: place });
  if (answer === null) {
    throw new TandemError('timeout', `${place.root} does not answer. Check the disk or network volume.`);
  }
  if ('failed' in answer)
    throw new TandemError('internal', `${place.path} was not deleted: ${answer.failed}`);
  if ('kept' in answer && answer.kept !== null) {
    const why = answer.kept === 'link' ? 'is a link' : 'lies outside the folders that Tandem scans';
    throw new TandemError('not_deletable', `${place.path} ${why}; delete it by hand.`);
  }
}

/** Also a line for each removed file, which shows that the process advances. */
export type FilesLine = FilesAnswer | 'removed';

/** Null = no answer, and no line within the limit. */
async function ask(process: ScanProcess, request: ChildRequest): Promise<FilesAnswer | null> {
  let answer: FilesAnswer | null = null;
  const onLine = (line: unknown) => {
    const said = line as FilesLine;
    if (said !== 'removed') answer = said;
  };
  await runScanProcess(process, request, onLine, { silenceMs: LIMIT_MS });
  return answer;
}
