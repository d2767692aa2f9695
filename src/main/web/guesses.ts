import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Clock } from '../ports/clock';

/** Wrong tokens without a wait: the user may have mistyped, or may have an old address open. */
const FREE = 5;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** Limit of remembered addresses; the one with the oldest guess is removed. */
const MAX_ADDRESSES = 1_000;
/** Wrong tokens remembered per address: a tab that repeats an old token is not guessing. */
const MAX_TOKENS = 8;

interface Guesser {
  count: number;
  /** No token from this address is checked before this time. */
  until: number;
  tokens: string[];
}

/** Slows down guessing of tokens, per address; each wrong token doubles the wait. */
export class Guesses {
  readonly #clock: Clock;
  /** In order of the last guess. */
  readonly #guessers = new Map<string, Guesser>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Seconds until a token of this address is checked; 0 = now. */
  waitS(address: string): number {
    const until = this.#guessers.get(networkOf(address))?.until ?? 0;
    return Math.max(0, until - this.#clock.now()) / 1000;
  }

  wrong(address: string, token: string): void {
    const key = networkOf(address);
    const guesser = this.#guessers.get(key) ?? { count: 0, until: 0, tokens: [] };
    const hash = createHash('sha256').update(token).digest('base64');
    if (guesser.tokens.includes(hash)) return;
    guesser.tokens = [...guesser.tokens, hash].slice(-MAX_TOKENS);
    guesser.count += 1;
    const waitMs = FIRST_WAIT_MS * 2 ** Math.min(guesser.count - FREE, 30);
    if (guesser.count >= FREE) guesser.until = this.#clock.now() + Math.min(waitMs, LONGEST_WAIT_MS);
    this.#guessers.delete(key);
    this.#guessers.set(key, guesser);
    const [oldest] = this.#guessers.keys();
    if (this.#guessers.size > MAX_ADDRESSES && oldest !== undefined) this.#guessers.delete(oldest);
  }
}

/** One client may have all addresses of an IPv6 network. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const rest = tail?.split(':').filter((group) => group !== '') ?? [];
  const zeros = tail === undefined ? 0 : 8 - groups.length - rest.length;
  return [...groups, ...new Array<string>(zeros).fill('0'), ...rest].slice(0, 4).join(':');
}
