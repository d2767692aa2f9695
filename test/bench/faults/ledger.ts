import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { judge, type Sent, type Verdict } from './requests.ts';

/** What a fault has left behind, when all was up again. */
export interface Left {
  /** Alive, and nobody looks after them. */
  processes: number;
  /** That the host listens on beside those from before. */
  ports: number;
  /** Half written. */
  files: number;
  /** By which the host's resident memory has grown, in MB; less than 0 when garbage was collected; null = not known. */
  hostMb: number | null;
}

/** One fault as it was applied. */
export interface FaultLine {
  type: 'fault';
  index: number;
  kind: string;
  /** Wall time in ms. */
  at: number;
  /** Until both servers took requests again and all requests that met it had ended. */
  ms: number;
  effective: boolean;
  left: Left;
  why: string | null;
}

/** What was found wrong or measured beside the requests. */
export interface NoteLine {
  type: 'note';
  name: string;
  value: number;
  detail?: string;
}

export type Line = FaultLine | NoteLine | Sent;

/** The results as they come, one JSON line each, so that a run can go on where it was ended. */
export class Ledger {
  readonly lines: Line[] = [];
  readonly #file: string;

  constructor(file: string, resume: boolean) {
    this.#file = file;
    if (!resume || !existsSync(file)) return;
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      // The last line of a run that was killed may be half a line.
      try {
        this.lines.push(JSON.parse(line));
      } catch {}
    }
    if (this.faults.some(({ left }) => typeof left !== 'object'))
      throw new Error(`${file} was written by an older version. Begin a new one, without --resume.`);
  }

  add(line: Line): void {
    this.lines.push(line);
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  note(name: string, value: number, detail?: string): void {
    this.add({ type: 'note', name, value, ...(detail === undefined ? {} : { detail }) });
  }

  get faults(): FaultLine[] {
    return this.lines.filter((line) => line.type === 'fault');
  }

  get requests(): Sent[] {
    return this.lines.filter((line) => line.type === 'request');
  }

  /** What was said beside the values noted under a name. */
  details(name: string): Set<string> {
    return new Set(
      this.lines.flatMap((line) =>
        line.type === 'note' && line.name === name && line.detail ? [line.detail] : [],
      ),
    );
  }

  /** Values noted under a name. */
  values(name: string): number[] {
    return this.lines.flatMap((line) => (line.type === 'note' && line.name === name ? [line.value] : []));
  }
}

export interface Judged {
  sent: Sent;
  verdict: Verdict;
}

/** All requests judged, with the errors that their fault made due. */
export function judgeAll(ledger: Ledger, dueOf: (kind: string) => readonly string[]): Judged[] {
  const kinds = new Map(ledger.faults.map(({ index, kind }) => [index, kind]));
  return ledger.requests.map((sent) => {
    const kind = sent.fault === null ? undefined : kinds.get(sent.fault);
    return { sent, verdict: judge(sent, kind === undefined ? [] : dueOf(kind)) };
  });
}
