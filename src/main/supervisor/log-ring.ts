import type { Readable } from 'node:stream';

/** A kind of line that may be stored as evidence: its code never contains message text. */
export interface LinePattern<Code extends string> {
  code: Code;
  match: RegExp;
}

export interface Evidence<Code extends string> {
  code: Code;
  at: number;
}

const MAX_LINE = 8192;

/**
 * Reads a process's output until it ends (a server whose pipe is not read freezes) and stores the codes of the last
 * lines that match the allow-list. The lines are never stored, because a server's output may contain prompts.
 */
export class LogRing<Code extends string> {
  readonly #patterns: readonly LinePattern<Code>[];
  readonly #capacity: number;
  readonly #now: () => number;
  readonly #evidence: Evidence<Code>[] = [];

  constructor(patterns: readonly LinePattern<Code>[], now: () => number, capacity = 200) {
    this.#patterns = patterns;
    this.#now = now;
    this.#capacity = capacity;
  }

  add(line: string): void {
    for (const { code, match } of this.#patterns) {
      if (!match.test(line)) continue;
      this.#evidence.push({ code, at: this.#now() });
      if (this.#evidence.length > this.#capacity) this.#evidence.shift();
      return;
    }
  }

  /** Oldest first. */
  evidence(since = 0): readonly Evidence<Code>[] {
    return this.#evidence.filter((entry) => entry.at >= since);
  }
}

/** Calls `onLine` for each line of a stream and never stops reading. Overlong lines are cut. */
export function drainLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (!stream) return;
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE);
    for (const line of lines) onLine(line);
  });
  stream.on('error', () => {});
}
