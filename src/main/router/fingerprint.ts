import { createHash } from 'node:crypto';
import { type CompletionRequest, textOf } from '../../shared/completion';

/** Characters read for one fingerprint, newest messages first: more than most models' context, about 10 ms. */
const MAX_COST = 1_000_000;
/** Cost of each part in addition to its characters. */
const PART_COST = 100;
/** The keys of larger objects are hashed in their given order. */
const MAX_SORTED = 1_000;

/** Each request is hashed once, however often its fingerprint is needed. */
const known = new WeakMap<CompletionRequest, string>();

/**
 * A hash of what a server computes for a request: all parameters, and the text without differences that a client may
 * add by chance (line ends, outer spaces, Unicode forms of one letter). Client and wanted model do not matter. Beyond
 * the bound only lengths count.
 */
export function fingerprintOf(request: CompletionRequest): string {
  const earlier = known.get(request);
  if (earlier !== undefined) return earlier;
  const hash = hashOf(request);
  known.set(request, hash);
  return hash;
}

function hashOf({ messages, rawPrompt, ...request }: CompletionRequest): string {
  const { sampling, format, tools, toolChoice, think, extra } = request;
  const parts = new Parts();
  parts.add({ sampling, format, toolChoice, think, extra, raw: rawPrompt !== undefined });
  if (rawPrompt !== undefined) parts.add(rawPrompt);
  parts.add(messages.length);
  for (const message of messages.toReversed()) parts.add(parts.isFull ? textOf(message) : message);
  parts.add(tools);
  return parts.digest();
}

/** Hashes values one after the other until the cost limit is reached. */
class Parts {
  readonly #hash = createHash('sha256');
  #left = MAX_COST;
  /** Characters and values that were not hashed. */
  #rest = 0;

  get isFull(): boolean {
    return this.#left === 0;
  }

  add(value: unknown): void {
    if (this.isFull) this.#rest += typeof value === 'string' ? value.length : 1;
    else if (typeof value === 'string') this.#text(value);
    else if (typeof value !== 'object' || value === null) this.#put(`=${JSON.stringify(value)}`);
    else if (Array.isArray(value)) {
      this.#put(`[${value.length}`);
      for (const item of value) this.add(item);
    } else this.#object(value);
  }

  digest(): string {
    return this.#hash.update(`+${this.#rest}`).digest('hex').slice(0, 32);
  }

  #object(value: object): void {
    const keys = Object.keys(value);
    if (keys.length <= MAX_SORTED) keys.sort();
    const fields = value as Record<string, unknown>;
    this.#put(`{${keys.length > MAX_SORTED ? keys.length : ''}`);
    for (const key of keys) {
      if (this.isFull) break;
      const field = fields[key];
      if (field === undefined) continue;
      this.#put(key);
      this.add(field);
    }
    this.#put('}');
  }

  #text(text: string): void {
    const part = text.slice(0, this.#left).normalize('NFC').replace(/\r\n?/g, '\n').trim();
    this.#rest += Math.max(0, text.length - this.#left);
    this.#put(`"${part}`, Math.min(text.length, this.#left));
  }

  /** The length is hashed too, so that the same characters split differently give another hash. */
  #put(part: string, cost = part.length): void {
    this.#hash.update(`${part.length}:`).update(part);
    this.#left = Math.max(0, this.#left - cost - PART_COST);
  }
}
