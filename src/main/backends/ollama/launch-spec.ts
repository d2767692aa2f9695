import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import type { LaunchSpec } from '../../ports/spawner';
import { type EvidenceCode, evidenceIn, OLLAMA_LINES } from '../../supervisor/evidence-lines';

/** A log past this size is set aside at the next start. */
const MAX_LOG_BYTES = 5_000_000;
const TAIL_BYTES = 64_000;

const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|LANG|LC_ALL|SSL_CERT_(FILE|DIR)|(HTTPS?|NO)_PROXY|LD_LIBRARY_PATH|(CUDA|HIP|ROCR|GGML|GPU|HSA|OLLAMA)_\w+)$/i;
/** These would change what we rely on: the address, one answer at a time, and no message text in the log. */
const OURS = new Set(['OLLAMA_HOST', 'OLLAMA_NUM_PARALLEL', 'OLLAMA_DEBUG', 'OLLAMA_DEBUG_LOG_REQUESTS']);

/**
 * An Ollama of our own on a free port of loopback, with the user's model folder, which is not pruned, and without
 * calls to the vendor's cloud. It logs to a file: it dies when the reader of a pipe goes, and freezes when it sleeps.
 */
export function ollamaLaunchSpec(
  program: string,
  env: Readonly<Record<string, string | undefined>>,
  logFile: string,
): LaunchSpec {
  const kept = Object.entries(env).filter(
    ([name, value]) => value !== undefined && PASSED_ON.test(name) && !OURS.has(name),
  );
  return {
    command: program,
    args: ['serve'],
    env: {
      ...(Object.fromEntries(kept) as Record<string, string>),
      OLLAMA_HOST: '127.0.0.1:0',
      OLLAMA_NO_CLOUD: '1',
      OLLAMA_NOPRUNE: '1',
      OLLAMA_NUM_PARALLEL: '1',
    },
    logFile,
  };
}

/** The log of one run of the server: the file's part that was written since. */
export class OllamaLog {
  readonly file: string;
  #from = 0;

  constructor(file: string) {
    this.file = file;
  }

  /** Begins a new run; an old log that has grown large is kept as `.1`. */
  async begin(): Promise<void> {
    if (size(this.file) > MAX_LOG_BYTES) await rename(this.file, `${this.file}.1`);
    this.#from = size(this.file);
  }

  /** Port from `Listening on 127.0.0.1:PORT`, as soon as it stands there. */
  port(): number | null {
    const match = /Listening on 127\.0\.0\.1:(\d+)/.exec(this.#read(this.#from));
    return match ? Number(match[1]) : null;
  }

  /** Kinds of the lines near the end that say why the server gave up. */
  evidence(): EvidenceCode[] {
    const tail = this.#read(Math.max(this.#from, size(this.file) - TAIL_BYTES));
    return evidenceIn(tail.split('\n'), OLLAMA_LINES);
  }

  /** Synchronous: at most some 64 kB, and only while a server starts or after it ended. */
  #read(from: number): string {
    try {
      const fd = openSync(this.file, 'r');
      try {
        const buffer = Buffer.alloc(TAIL_BYTES);
        return buffer.toString('utf8', 0, readSync(fd, buffer, 0, TAIL_BYTES, from));
      } finally {
        closeSync(fd);
      }
    } catch {
      return '';
    }
  }
}

function size(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
