import { read } from '../../support/counting-words.ts';

/** What a client knows of one request when it has ended. */
export interface Sent {
  type: 'request';
  id: string;
  kind: 'stream' | 'whole' | 'chat';
  /** Wall time in ms. */
  at: number;
  ms: number;
  /** Tokens asked for; the answer has as many words. */
  words: number;
  /** HTTP status; 0 = the connection broke before there was one. */
  status: number;
  /** The last frame said that this is all. */
  ended: boolean;
  /** The client itself went away. */
  left: boolean;
  /** Code of the error that it was told. */
  code: string | null;
  /** Who is said to have answered, in headers or label. */
  backend: string | null;
  reasons: string[];
  /** What each backend is said to have written; more than one only in a chat, around a break. */
  parts: { backend: string; text: string }[];
  /** Index of the fault that it met; null = none. */
  fault: number | null;
}

/** Errors that end a request which was never accepted. */
const REFUSALS: ReadonlySet<string> = new Set(['queue_full', 'rate_limited', 'disk_full', 'refused']);

export interface Verdict {
  accepted: boolean;
  full: boolean;
  /** Neither a full answer nor an error that was due. */
  lost: boolean;
  doubled: boolean;
  wrongLabel: boolean;
  replayed: boolean;
}

/**
 * Judges one request. An error is due when the client left, when the request is deadly, or when a stream broke of which
 * the client has a part (no splice is allowed for these models); or when the app itself was killed under it.
 * @param due codes that this fault makes due, `cut` for a connection that just ends
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
