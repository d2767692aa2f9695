import { type Link, LinkedList } from './linked-list';

/** Those who are due are passed over at most this often in a row: by a higher priority, or for the sake of a batch. */
export const MAX_PASSES = 4;

/** What fairness and batching look at. */
export interface Groupable {
  client: string;
  model: string;
}

/** A client that waits; its place in the ring is its turn. */
interface Client<T> {
  name: string;
  requests: LinkedList<T>;
  /** Requests served ahead of its turn since its last one. */
  early: number;
}

interface Handle<T> {
  client: Link<Client<T>>;
  inClient: Link<T>;
  inModel: Link<T>;
}

/**
 * Requests of equal priority. Clients take turns, each client is served in order of arrival; where that costs a load,
 * the oldest request for the loaded model goes first, for a bounded number of times. Every step costs O(1).
 */
export class FairLine<T extends Groupable> {
  /** Clients in the order of their turns. */
  readonly #turns = new LinkedList<Client<T>>();
  readonly #clients = new Map<string, Link<Client<T>>>();
  readonly #models = new Map<string, LinkedList<T>>();
  readonly #handles = new Map<T, Handle<T>>();
  /** Requests served in a row for the sake of a batch. */
  #batch = 0;
  /** The client that had the last turn: who comes before the next one is not behind it. */
  #served: string | null = null;

  get size(): number {
    return this.#handles.size;
  }

  add(request: T): void {
    const client = this.#clientOf(request.client);
    const model = this.#models.get(request.model) ?? new LinkedList<T>();
    this.#models.set(request.model, model);
    const inClient = client.value.requests.push(request);
    this.#handles.set(request, { client, inClient, inModel: model.push(request) });
  }

  /** Takes a request out; false when it is not in this line. */
  remove(request: T): boolean {
    const handle = this.#handles.get(request);
    if (!handle) return false;
    this.#handles.delete(request);
    const { requests } = handle.client.value;
    requests.remove(handle.inClient);
    if (requests.size === 0) {
      this.#turns.remove(handle.client);
      this.#clients.delete(request.client);
    }
    const model = this.#models.get(request.model);
    model?.remove(handle.inModel);
    if (model?.size === 0) this.#models.delete(request.model);
    return true;
  }

  /** Takes out who is next, null when nobody waits. `loaded` is the model that costs no load; null: no batching. */
  take(loaded: string | null): T | null {
    const due = this.#turns.first?.requests.first;
    if (!due) return null;
    const next = due.model === loaded ? due : (this.#batchable(loaded) ?? due);
    const client = this.#clientOf(next.client);
    if (next === due) {
      this.#batch = 0;
      client.value.early = 0;
      this.#served = next.client;
      this.#turns.moveToEnd(client);
    } else {
      this.#batch += 1;
      client.value.early += 1;
    }
    this.remove(next);
    return next;
  }

  /** The same line once more, to try out in which order it will be served. O(n). */
  copy(): FairLine<T> {
    const copy = new FairLine<T>();
    for (const client of this.#turns) copy.#clientOf(client.name).value.early = client.early;
    // The handles stand in order of arrival, and so come into each list of the copy.
    for (const request of this.#handles.keys()) copy.add(request);
    copy.#batch = this.#batch;
    copy.#served = this.#served;
    return copy;
  }

  #batchable(loaded: string | null): T | null {
    if (loaded === null || this.#batch >= MAX_PASSES) return null;
    const oldest = this.#models.get(loaded)?.first ?? null;
    const client = oldest && this.#handles.get(oldest)?.client.value;
    return client && client.early < MAX_PASSES ? oldest : null;
  }

  #clientOf(name: string): Link<Client<T>> {
    const known = this.#clients.get(name);
    if (known) return known;
    const client = this.#turns.push({ name, requests: new LinkedList<T>(), early: 0 });
    this.#clients.set(name, client);
    const served = this.#served === null ? undefined : this.#clients.get(this.#served);
    if (served) this.#turns.moveToEnd(served);
    return client;
  }
}
