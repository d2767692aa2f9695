import { accessSync, constants, readFileSync, statSync, writeFileSync } from 'node:fs';
import { measureModelFolder, removeModelFolder } from './folder-remove';
import { scan } from './mlx-scanner';
import type { FilesLine } from './model-files';
import type { ScanLine, ScanRequest } from './scan-lines';
import type { ModelPlace } from './scan-result';

/**
 * The process that accesses model folders, which may be on a volume that never responds: scans, checks, counts and
 * deletes. Reads one request from standard input, writes lines of JSON, and exits. Works synchronously; the host kills
 * it when it hangs.
 */

export type ChildRequest =
  | { scan: ScanRequest }
  | { folder: string }
  | { measure: ModelPlace }
  | { remove: ModelPlace };

type Line = ScanLine | FilesLine | boolean;

const STDIN = 0;
const STDOUT = 1;

function* answer(request: ChildRequest): Generator<Line> {
  if ('scan' in request) yield* scan(request.scan);
  else if ('folder' in request) yield isReadableFolder(request.folder);
  else yield* files(request);
}

function* files(request: { measure: ModelPlace } | { remove: ModelPlace }): Generator<FilesLine> {
  try {
    if ('measure' in request) yield { bytes: measureModelFolder(request.measure) };
    else yield { kept: yield* removeModelFolder(request.remove) };
  } catch (error) {
    yield { failed: (error as NodeJS.ErrnoException).code ?? 'unknown' };
  }
}

function isReadableFolder(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Lines are written in batches: each write wakes the host. */
const BATCH_BYTES = 32 * 1024;
/** A batch is written at least this often: the host treats a long silence as a hang. */
const BATCH_MS = 1000;

/** Writes lines of JSON; a place is written before it is accessed. */
function write(lines: Iterable<Line>): void {
  let batch = '';
  let writtenAt = performance.now();
  const flush = () => {
    writeFileSync(STDOUT, batch);
    batch = '';
    writtenAt = performance.now();
  };
  for (const line of lines) {
    batch += `${JSON.stringify(line)}\n`;
    const isPlace = typeof line === 'object' && 'type' in line && line.type === 'place';
    if (isPlace || batch.length > BATCH_BYTES || performance.now() - writtenAt > BATCH_MS) flush();
  }
  flush();
}

write(answer(JSON.parse(readFileSync(STDIN, 'utf8'))));
