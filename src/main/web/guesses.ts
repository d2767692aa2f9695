import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Clock } from '../ports/clock';

/** Wrong tokens that cost nothing: a person may have mistyped, or have an old address open. */
const FREE = 5;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** Addresses remembered; the one that guessed longest ago makes room. */
const MAX_ADDRESSES = 1_000;
/** Wrong tokens of an address that are known: a tab with an old one sends it again and again, which guesses nothing. */
const MAX_TOKENS = 8;

interface Guesser {
  count: number;
  /** Until then no token from this address is checked. */
  until: number;
  tokens: string[];
}

/** Slows down whoever tries one token after the other, by address; each wrong one doubles the wait. */
export class Guesses {
  readonly #clock: Clock;
  /** In order of the last guess. */
  readonly #guessers = new Map<string, Guesser>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Seconds until a token of this address is looked at; 0 = now. */
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

/** One person may have all addresses of an IPv6 network. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const rest = tail?.split(':').filter((group) => group !== '') ?? [];
  const zeros = tail === undefined ? 0 : 8 - groups.length - rest.length;
  return [...groups, ...new Array<string>(zeros).fill('0'), ...rest].slice(0, 4).join(':');
}
