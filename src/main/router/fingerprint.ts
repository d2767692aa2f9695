import { createHash } from 'node:crypto';
import type { CompletionRequest } from '../../shared/domain';

/** Characters that are read for one fingerprint, the newest messages first: about 30 ms. Of the rest only lengths count. */
const MAX_CHARS = 4_000_000;

/** Each request is read once, however often it is asked about on its way. */
const known = new WeakMap<CompletionRequest, string>();

/**
 * A hash of what a server computes for a request: text without differences that a client may add by chance (line
 * ends, outer spaces, forms of one letter), and all parameters. Who asks and which model is wanted do not matter.
 */
export function fingerprintOf(request: CompletionRequest): string {
  const earlier = known.get(request);
  if (earlier !== undefined) return earlier;
  const hash = hashOf(request);
  known.set(request, hash);
  return hash;
}

function hashOf({ messages, rawPrompt, ...request }: CompletionRequest): string {
  const { sampling, format, tools, think, extraOptions } = request;
  const hash = createHash('sha256');
  let left = MAX_CHARS;
  const add = (text: string) => {
    const part = plain(text.slice(0, left));
    const rest = Math.max(0, text.length - left);
    left = Math.max(0, left - text.length);
    // With its length, so that no other cut of the same characters gives the same hash.
    hash.update(`${part.length}+${rest}:`).update(part);
  };
  add(
    JSON.stringify(ordered({ sampling, format, tools, think, extraOptions, raw: rawPrompt !== undefined })),
  );
  add(rawPrompt ?? '');
  for (const { content, images = [], ...more } of messages.toReversed()) {
    add(JSON.stringify(ordered({ ...more, images: images.length })));
    for (const text of [content, ...images]) add(text);
  }
  return hash.digest('hex').slice(0, 32);
}

function plain(text: string): string {
  return text.normalize('NFC').replace(/\r\n?/g, '\n').trim();
}

/** The same value with the keys of all its objects in order. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, part]) => [key, ordered(part)]),
  );
}
