import { accessSync, constants, readFileSync, statSync, writeFileSync } from 'node:fs';
import { scan } from './mlx-scanner';
import type { ScanLine, ScanRequest } from './scan-lines';

/**
 * The process that accesses model folders, which may be on a volume that never responds. Reads one request from
 * standard input, writes lines of JSON, and exits. Works synchronously; the host kills it when it hangs.
 */

export type ChildRequest = { scan: ScanRequest } | { folder: string };

const STDIN = 0;
const STDOUT = 1;

function* answer(request: ChildRequest): Generator<ScanLine | boolean> {
  if ('scan' in request) yield* scan(request.scan);
  else yield isReadableFolder(request.folder);
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
function write(lines: Iterable<ScanLine | boolean>): void {
  let batch = '';
  let writtenAt = performance.now();
  const flush = () => {
    writeFileSync(STDOUT, batch);
    batch = '';
    writtenAt = performance.now();
  };
  for (const line of lines) {
    batch += `${JSON.stringify(line)}\n`;
    const isPlace = typeof line === 'object' && line.type === 'place';
    if (isPlace || batch.length > BATCH_BYTES || performance.now() - writtenAt > BATCH_MS) flush();
  }
  flush();
}

write(answer(JSON.parse(readFileSync(STDIN, 'utf8'))));
