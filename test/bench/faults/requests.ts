import { read } from '../../support/counting-words.ts';

/** A client's view of one request after its end. */
export interface Sent {
  type: 'request';
  id: string;
  kind: 'stream' | 'whole' | 'chat';
  /** Wall time in ms. */
  at: number;
  ms: number;
  /** Tokens requested; the answer has as many words. */
  words: number;
  /** HTTP status; 0 = the connection broke before there was one. */
  status: number;
  /** The last frame marked the end. */
  ended: boolean;
  /** The client itself disconnected. */
  left: boolean;
  /** Code of the error that it received. */
  code: string | null;
  /** The backend named in headers or label. */
  backend: string | null;
  reasons: string[];
  /** The text that each backend is said to have written; more than one only in a chat, around a break. */
  parts: { backend: string; text: string }[];
  /** Index of the fault during it; null = none. */
  fault: number | null;
}

/** Errors of requests that were never accepted. */
const REFUSALS: ReadonlySet<string> = new Set(['queue_full', 'rate_limited', 'disk_full', 'refused']);

export interface Verdict {
  accepted: boolean;
  full: boolean;
  /** Neither a full answer nor an acceptable error. */
  lost: boolean;
  doubled: boolean;
  wrongLabel: boolean;
  replayed: boolean;
}

/**
 * Judges one request. An error is acceptable when the client disconnected, when the request is deadly, when a stream
 * broke of which the client has a part (these models allow no splice), or when the app itself was killed during it.
 * @param due codes that this fault makes acceptable, `cut` for a connection that just ends
 */
export function judge(sent: Sent, due: readonly string[]): Verdict {
  const readings = sent.parts.map(({ text }) => read(text));
  const last = readings.at(-1);
  const full = sent.ended && last !== undefined && last.words === sent.words && !last.missing;
  const seen = sent.kind === 'stream' && sent.status === 200 && (last?.words ?? 0) > 0;
  const told = sent.code ?? 'cut';
  const brokenOff = seen && sent.code === 'backend_failed';
  const accepted = !(sent.code !== null && REFUSALS.has(sent.code));
  return {
    accepted,
    full,
    lost: accepted && !full && !sent.left && !brokenOff && !due.includes(told),
    doubled: readings.some(({ doubled }) => doubled),
    wrongLabel:
      sent.parts.some(({ backend }, index) =>
        (readings[index]?.speakers ?? []).some((speaker) => speaker !== backend),
      ) ||
      (full && sent.backend !== last?.speakers[0]),
    replayed: sent.reasons.some((reason) => reason.startsWith('fallback:')),
  };
}
