import { accessSync, constants, readFileSync, statSync, writeFileSync } from 'node:fs';
import { scan } from './mlx-scanner';
import type { ScanRequest } from './scan-lines';

/**
 * The process that touches folders of models, which may be on a volume that never answers: reads one request from standard
 * input, writes lines of JSON, and ends. It works synchronously and is killed when it hangs.
 */

export type ChildRequest = { scan: ScanRequest } | { folder: string };

const STDIN = 0;
const STDOUT = 1;

function* answer(request: ChildRequest): Generator<unknown> {
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

const request: ChildRequest = JSON.parse(readFileSync(STDIN, 'utf8'));
for (const line of answer(request)) writeFileSync(STDOUT, `${JSON.stringify(line)}\n`);
