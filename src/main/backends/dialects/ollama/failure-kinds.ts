/**
 * Meaning of Ollama's error texts. They are not a stable API and differ between `ollama runner` (up to 0.2x) and
 * `llama-server` (0.30 and later); test/fixtures/ollama has real ones of both with their sources.
 */
export type FailureKind =
  /** More requests wait for a load than the server allows. */
  | 'queue-full'
  /** Memory of the machine or of the GPU ran out, during a load or a computation. */
  | 'memory'
  /** The file cannot be loaded, however often it is tried. */
  | 'bad-model'
  /** The server itself aborted the load. */
  | 'load-timeout'
  /** The model's process ended while loading, or before the request reached it. */
  | 'load-died'
  /** The model's process ended while it computed an answer. */
  | 'runner-died';

/** The first match wins: a lack of memory says more than the end of a process. */
const KINDS: readonly (readonly [FailureKind, RegExp])[] = [
  ['queue-full', /maximum pending requests exceeded/i],
  [
    'memory',
    /requires more system memory|insufficient memory|not enough memory|out[ -]of[ -](?:device )?memory|ErrorOutOfMemory|(?:cuda|hip)Malloc failed|(?:failed|unable) to allocate|allocation failed|memory layout cannot be allocated/i,
  ],
  [
    'bad-model',
    /error loading model|unable to load model|exceeds file size|invalid (?:file )?magic|^(?:unexpected )?EOF$/i,
  ],
  ['load-timeout', /timed out waiting for llama(?: runner|-server) to start/i],
  [
    'load-died',
    /llama(?: runner|-server) process (?:has terminated|no longer running)|model failed to load, this may be|^connection refused$|^health resp: /i,
  ],
  [
    'runner-died',
    /model runner has unexpectedly stopped|an error was encountered while running the model|error reading llama-server (?:chat )?response/i,
  ],
];

/** Null for a text without a known kind. */
export function failureKind(text: string): FailureKind | null {
  return KINDS.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
}

/** Bytes named in a text; null = not named. */
export interface NamedBytes {
  neededBytes: number | null;
  freeBytes: number | null;
}

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};
const SIZE = String.raw`(\d+(?:\.\d+)?) ([KMGT]?i?B)`;
const NEEDED_AND_FREE = new RegExp(
  String.raw`requires more system memory \(${SIZE}\) than is available \(${SIZE}\)`,
);
const BUFFER = new RegExp(`failed to allocate buffer, size = ${SIZE}`);
const BUFFER_BYTES = /failed to allocate (?:\w+ )?buffer of size (\d+)/;

export function memoryFigures(text: string): NamedBytes {
  const both = NEEDED_AND_FREE.exec(text);
  if (both) return { neededBytes: bytes(both[1], both[2]), freeBytes: bytes(both[3], both[4]) };
  const plain = BUFFER_BYTES.exec(text);
  if (plain) return { neededBytes: Number(plain[1]), freeBytes: null };
  const sized = BUFFER.exec(text);
  return { neededBytes: sized ? bytes(sized[1], sized[2]) : null, freeBytes: null };
}

function bytes(value: string | undefined, unit: string | undefined): number | null {
  const factor = UNITS[unit ?? ''];
  return factor === undefined ? null : Math.round(Number(value) * factor);
}
