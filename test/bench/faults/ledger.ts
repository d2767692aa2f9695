import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { judge, type Sent, type Verdict } from './requests.ts';

/** What a fault left behind once everything was up again. */
export interface Left {
  /** Alive, but without a supervisor. */
  processes: number;
  /** New ports that the host listens on. */
  ports: number;
  /** Half written. */
  files: number;
  /** Growth of the host's resident memory in MB; negative after a garbage collection; null = unknown. */
  hostMb: number | null;
}

/** One applied fault. */
export interface FaultLine {
  type: 'fault';
  index: number;
  kind: string;
  /** Wall time in ms. */
  at: number;
  /** Until both servers accepted requests again and all affected requests had ended. */
  ms: number;
  effective: boolean;
  left: Left;
  why: string | null;
}

/** A problem or a measurement outside the requests. */
export interface NoteLine {
  type: 'note';
  name: string;
  value: number;
  detail?: string;
}

export type Line = FaultLine | NoteLine | Sent;

/** The results as JSON lines, written at once, so that an interrupted run can resume. */
export class Ledger {
  readonly lines: Line[] = [];
  readonly #file: string;

  constructor(file: string, resume: boolean) {
    this.#file = file;
    if (!resume || !existsSync(file)) return;
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      // The last line of a run that was killed may be incomplete.
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

  /** Details recorded with the values of a name. */
  details(name: string): Set<string> {
    return new Set(
      this.lines.flatMap((line) =>
        line.type === 'note' && line.name === name && line.detail ? [line.detail] : [],
      ),
    );
  }

  /** Values recorded under a name, all or those with this detail. */
  values(name: string, detail?: string): number[] {
    return this.lines.flatMap((line) =>
      line.type === 'note' && line.name === name && (detail === undefined || line.detail === detail)
        ? [line.value]
        : [],
    );
  }
}

export interface Judged {
  sent: Sent;
  verdict: Verdict;
}

/** Verdicts on all requests, with the errors that their fault makes acceptable. */
export function judgeAll(ledger: Ledger, dueOf: (kind: string) => readonly string[]): Judged[] {
  const kinds = new Map(ledger.faults.map(({ index, kind }) => [index, kind]));
  return ledger.requests.map((sent) => {
    const kind = sent.fault === null ? undefined : kinds.get(sent.fault);
    return { sent, verdict: judge(sent, kind === undefined ? [] : dueOf(kind)) };
  });
}
