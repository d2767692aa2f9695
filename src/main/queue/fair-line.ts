import { type Link, LinkedList } from './linked-list';

/** Requests that are due are passed over at most this often in a row: for a higher priority, or for a batch. */
export const MAX_PASSES = 4;

/** The fields that fairness and batching use. */
export interface Groupable {
  client: string;
  model: string;
}

/** A waiting client; its place in the ring is its turn. */
interface Client<T> {
  name: string;
  seats: LinkedList<LineEntry<T>>;
  /** Requests served ahead of its turn since its last turn. */
  early: number;
}

/** A request's place in a line, and the handle to remove it. */
export interface LineEntry<T> {
  readonly request: T;
  readonly client: Link<Client<T>>;
  /** Null once the request has left. */
  inClient: Link<LineEntry<T>> | null;
  inModel: Link<LineEntry<T>> | null;
}

/**
 * Requests of equal priority. Clients take turns, and each client is served in order of arrival; when that would cost a
 * load, the oldest request for the loaded model goes first, a bounded number of times. Every step costs O(1).
 */
export class FairLine<T extends Groupable> {
  /** Clients in the order of their turns. */
  readonly #turns = new LinkedList<Client<T>>();
  readonly #clients = new Map<string, Link<Client<T>>>();
  /** Seats by model, in order of arrival. */
  readonly #models = new Map<string, LinkedList<LineEntry<T>>>();
  #size = 0;
  /** Requests served in a row as a batch. */
  #batch = 0;
  /** The client that had the last turn: a client that arrives before the next turn is placed ahead of it. */
  #served: string | null = null;

  get size(): number {
    return this.#size;
  }

  add(request: T): LineEntry<T> {
    const client = this.#clientOf(request.client);
    const seat: LineEntry<T> = { request, client, inClient: null, inModel: null };
    seat.inClient = client.value.seats.push(seat);
    seat.inModel = this.#modelOf(request.model).push(seat);
    this.#size += 1;
    return seat;
  }

  /** Removes a request from this line; does nothing if it has already left. */
  remove(seat: LineEntry<T>): void {
    const { client, inClient, inModel, request } = seat;
    if (!inClient || !inModel) return;
    seat.inClient = null;
    seat.inModel = null;
    this.#size -= 1;
    client.value.seats.remove(inClient);
    if (client.value.seats.size === 0) {
      this.#turns.remove(client);
      this.#clients.delete(client.value.name);
    }
    const model = this.#modelOf(request.model);
    model.remove(inModel);
    if (model.size === 0) this.#models.delete(request.model);
  }

  /** Removes and returns the next request, or null. `loaded` is the model that needs no load; null: no batching. */
  take(loaded: string | null): T | null {
    const due = this.#turns.first?.seats.first;
    if (!due) return null;
    const next = due.request.model === loaded ? due : (this.#batchable(loaded) ?? due);
    const { client } = next;
    if (next === due) {
      this.#batch = 0;
      client.value.early = 0;
      this.#served = client.value.name;
      this.#turns.moveToEnd(client);
    } else {
      this.#batch += 1;
      client.value.early += 1;
    }
    this.remove(next);
    return next.request;
  }

  /** A copy of the line, used to simulate the order of service. O(n). */
  copy(): FairLine<T> {
    const copy = new FairLine<T>();
    const seats = new Map<LineEntry<T>, LineEntry<T>>();
    for (const { name, early, seats: taken } of this.#turns) {
      const client = copy.#clientOf(name);
      client.value.early = early;
      for (const seat of taken) {
        const twin: LineEntry<T> = { request: seat.request, client, inClient: null, inModel: null };
        twin.inClient = client.value.seats.push(twin);
        seats.set(seat, twin);
      }
    }
    for (const [model, taken] of this.#models) {
      const list = copy.#modelOf(model);
      for (const seat of taken) {
        const twin = seats.get(seat);
        if (twin) twin.inModel = list.push(twin);
      }
    }
    copy.#size = this.#size;
    copy.#batch = this.#batch;
    copy.#served = this.#served;
    return copy;
  }

  #batchable(loaded: string | null): LineEntry<T> | null {
    if (loaded === null || this.#batch >= MAX_PASSES) return null;
    const oldest = this.#models.get(loaded)?.first ?? null;
    return oldest && oldest.client.value.early < MAX_PASSES ? oldest : null;
  }

  #modelOf(name: string): LinkedList<LineEntry<T>> {
    const known = this.#models.get(name);
    if (known) return known;
    const model = new LinkedList<LineEntry<T>>();
    this.#models.set(name, model);
    return model;
  }

  #clientOf(name: string): Link<Client<T>> {
    const known = this.#clients.get(name);
    if (known) return known;
    const client = this.#turns.push({ name, seats: new LinkedList<LineEntry<T>>(), early: 0 });
    this.#clients.set(name, client);
    const served = this.#served === null ? undefined : this.#clients.get(this.#served);
    if (served) this.#turns.moveToEnd(served);
    return client;
  }
}
