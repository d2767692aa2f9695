import type { ServerResponse } from 'node:http';
import { TandemError } from '../../shared/errors';
import { orAbort } from '../ports/bounded';
import type { Clock } from '../ports/clock';

/** Bytes of an answer that are buffered for a slow client; above that the server waits. */
const BUFFER_BYTES = 1024 * 1024;
/** While other requests wait, a client with a full buffer that reads nothing for this long is cancelled, ms. */
const CHECK_MS = 5_000;
/** A client that reads nothing for this long is cancelled in any case, ms. */
const GIVE_UP_MS = 60_000;

export interface OutboxOptions {
  raw: ServerResponse;
  clock: Clock;
  /** Are requests waiting in the queue? */
  othersWait: () => boolean;
  /** Ends the exchange with a client that reads nothing. */
  abort: (reason: TandemError) => void;
  signal: AbortSignal;
}

/**
 * Sends the frames of one answer to its client. Each is written at once. Frames that the socket does not accept yet are
 * buffered up to a limit, so that a short pause of the client does not stop the server.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #frames: string[] = [];
  #bytes = 0;
  #isEnded = false;
  #isBlocked = false;
  /** Set while a writer waits for room. */
  #room: PromiseWithResolvers<void> | null = null;
  #cancelCheck = () => {};
  #blockedAt = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    options.raw.on('drain', () => this.#drained());
    options.raw.once('close', () => this.#cancelCheck());
  }

  /** Writes a frame. Resolves when there is room for more; rejects when the client is cancelled, with the reason. */
  async write(frame: string): Promise<void> {
    const { raw, signal } = this.#options;
    if (raw.destroyed) throw signal.reason;
    this.#put(frame);
    while (this.#bytes >= BUFFER_BYTES) await this.#untilRoom();
  }

  /** Writes the last frame and ends the answer, without waiting for the client. */
  end(frame: string): void {
    this.#put(frame);
    this.#isEnded = true;
    if (!this.#isBlocked) this.#options.raw.end();
  }

  #put(frame: string): void {
    if (this.#isBlocked) {
      this.#frames.push(frame);
      this.#bytes += frame.length;
    } else if (!this.#options.raw.write(frame)) this.#block();
  }

  #block(): void {
    this.#isBlocked = true;
    this.#blockedAt = this.#options.clock.now();
    this.#check();
  }

  #drained(): void {
    this.#cancelCheck();
    this.#isBlocked = false;
    const frames = this.#frames.splice(0);
    this.#bytes = 0;
    for (const frame of frames) this.#put(frame);
    if (this.#isEnded && !this.#isBlocked) this.#options.raw.end();
    this.#room?.resolve();
    this.#room = null;
  }

  #check(): void {
    const { clock, othersWait } = this.#options;
    this.#cancelCheck = clock.after(CHECK_MS, () => {
      const isFull = this.#bytes >= BUFFER_BYTES;
      if ((isFull && othersWait()) || clock.now() - this.#blockedAt >= GIVE_UP_MS) this.#giveUp();
      else this.#check();
    });
  }

  #giveUp(): void {
    const { raw, abort } = this.#options;
    abort(new TandemError('cancelled', 'The client stopped reading.'));
    raw.destroy();
  }

  async #untilRoom(): Promise<void> {
    const { signal } = this.#options;
    this.#room ??= Promise.withResolvers();
    await orAbort(this.#room.promise, signal);
  }
}
