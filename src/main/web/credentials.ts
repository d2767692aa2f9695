import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../ports/clock';

/** A session ends after this long without use. */
const SESSION_MS = 12 * 3_600_000;
/** A ticket is for the WebSocket that is opened right after it. */
const TICKET_MS = 10_000;
/** An invitation is for the browser that is opened right after it, however slowly it starts. */
const INVITATION_MS = 120_000;
/** Limit of sessions, including forgotten tabs; the one unused longest is removed. */
const MAX_SESSIONS = 100;
const MAX_TICKETS = 100;
const MAX_INVITATIONS = 10;

/**
 * Controls access to the web UI. The long-lived token opens sessions; a session opens one-time tickets, because a
 * browser cannot put a header on a WebSocket. Everything is in memory, as hashes.
 */
export class Credentials {
  readonly #clock: Clock;
  readonly #token: Buffer;
  /** Hash → end time, in order of last use. */
  readonly #sessions = new Map<string, number>();
  readonly #tickets = new Map<string, number>();
  readonly #invitations = new Map<string, number>();

  constructor(token: string, clock: Clock) {
    this.#token = hash(token);
    this.#clock = clock;
  }

  /** A new session for the correct token, else null. The comparison takes the same time for every wrong token. */
  openSession(token: string): { session: string; expiresInMs: number } | null {
    if (!timingSafeEqual(hash(token), this.#token)) return null;
    const session = secret();
    remember(this.#sessions, session, this.#clock.now() + SESSION_MS, MAX_SESSIONS);
    return { session, expiresInMs: SESSION_MS };
  }

  /** Is this session valid? Each use extends it. */
  checkSession(session: string): boolean {
    const ends = forget(this.#sessions, session);
    if (ends === undefined || ends <= this.#clock.now()) return false;
    remember(this.#sessions, session, this.#clock.now() + SESSION_MS, MAX_SESSIONS);
    return true;
  }

  /** A one-time secret that opens one session in place of the token, for places that others can read. */
  openInvitation(): string {
    const invitation = secret();
    remember(this.#invitations, invitation, this.#clock.now() + INVITATION_MS, MAX_INVITATIONS);
    return invitation;
  }

  /** True once for each invitation, before it expires. */
  takeInvitation(invitation: string): boolean {
    const ends = forget(this.#invitations, invitation);
    return ends !== undefined && ends > this.#clock.now();
  }

  openTicket(): { ticket: string; expiresInMs: number } {
    const ticket = secret();
    remember(this.#tickets, ticket, this.#clock.now() + TICKET_MS, MAX_TICKETS);
    return { ticket, expiresInMs: TICKET_MS };
  }

  /** True once for each ticket, before it expires. */
  takeTicket(ticket: string): boolean {
    const ends = forget(this.#tickets, ticket);
    return ends !== undefined && ends > this.#clock.now();
  }
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function remember(table: Map<string, number>, text: string, ends: number, most: number): void {
  const oldest = table.keys().next().value;
  if (table.size >= most && oldest !== undefined) table.delete(oldest);
  table.set(hash(text).toString('base64'), ends);
}

function forget(table: Map<string, number>, text: string): number | undefined {
  const key = hash(text).toString('base64');
  const ends = table.get(key);
  table.delete(key);
  return ends;
}
