import { setTimeout as pause } from 'node:timers/promises';
import { type Ask, askChat, askGateway, pageOf } from './clients.ts';
import type { Sent } from './requests.ts';

export interface LoadPlace {
  gateway(): string;
  web(): string;
}

/** Without a number of tokens it requests a full answer. */
type Wish = Omit<Ask, 'words'> & Partial<Pick<Ask, 'words'>>;

/** Clients that send one request after the other: through the gateway for either backend, and in the chat. */
const CLIENTS: readonly (Wish | 'chat')[] = [
  { category: 'fast', stream: true },
  { category: 'fast', stream: false },
  { category: 'coding', stream: true },
  { category: 'coding', stream: false },
  'chat',
];
/** Clients must not spin on requests that are rejected at once. */
const AFTER_FAILURE_MS = 250;

/** The mixed load, paused at first. Each ended request is reported with the fault that was active during it. */
export class Load {
  readonly #place: LoadPlace;
  readonly #words: number;
  readonly #pauseMs: number;
  readonly #onSent: (sent: Sent) => void;
  readonly #open = new Set<{ fault: number | null }>();
  #fault: number | null = null;
  #running = true;
  #held = true;
  readonly #loops: Promise<void>[];

  /** @param pauseMs pause of each client before its next request */
  constructor(place: LoadPlace, words: number, pauseMs: number, onSent: (sent: Sent) => void) {
    this.#place = place;
    this.#words = words;
    this.#pauseMs = pauseMs;
    this.#onSent = onSent;
    this.#loops = CLIENTS.map((client) => this.#loop(client));
  }

  /** From now on requests count for this fault, including running ones. */
  begin(fault: number): void {
    this.#fault = fault;
    for (const each of this.#open) each.fault ??= fault;
  }

  /** Resolves when all requests that overlapped the fault have ended; later ones do not count for it. */
  async end(): Promise<void> {
    const fault = this.#fault;
    this.#fault = null;
    while ([...this.#open].some((each) => each.fault === fault)) await pause(20);
  }

  /** An extra request, counted like the others. */
  ask(ask: Wish): Promise<Sent> {
    return this.#count(() => askGateway(this.#place.gateway(), { words: this.#words, ...ask }));
  }

  /** While held, no client starts a new request. */
  hold(held: boolean): void {
    this.#held = held;
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  async #loop(client: Wish | 'chat'): Promise<void> {
    const page = pageOf(() => this.#place.web());
    while (this.#running) {
      if (!this.#held) {
        const sent = await this.#count(() =>
          client === 'chat'
            ? askChat(page, this.#words)
            : askGateway(this.#place.gateway(), { words: this.#words, ...client }),
        );
        if (!sent.ended) await pause(AFTER_FAILURE_MS);
      }
      await pause(this.#pauseMs);
    }
  }

  async #count(run: () => Promise<Sent>): Promise<Sent> {
    const open = { fault: this.#fault };
    this.#open.add(open);
    const sent = await run();
    this.#open.delete(open);
    sent.fault = open.fault;
    this.#onSent(sent);
    return sent;
  }
}
