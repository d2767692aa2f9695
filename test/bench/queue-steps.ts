import { systemClock } from '../../src/main/ports/clock';
import { RequestQueue } from '../../src/main/queue/request-queue';
import { Scheduler } from '../../src/main/queue/scheduler';
import type { Admitted, Slot } from '../../src/main/queue/types';
import { PRIORITIES } from '../../src/shared/domain';
import { seeded } from '../support/seeded';

const CLIENTS = 200;
const MODELS = 5;
/** Longer than any run of this benchmark. */
const LONGEST_WAIT_MS = 7_200_000;

export interface StepTimes {
  /** µs per call. */
  times: { enqueue: number[]; cancel: number[]; dispatch: number[] };
  /** Ms of the whole loop, including everything that the calls trigger. */
  totalMs: number;
}

interface Sent {
  admitted: Admitted;
  abort: AbortController;
  state: 'waiting' | 'granted' | 'gone';
  slot: Slot | null;
}

/**
 * Fills the queue, then enqueues, cancels and dispatches in turn, so that its length stays constant. Bundled before it
 * runs: the sources import each other without extensions.
 */
export async function stepTimes(queued: number, rounds: number, seed: number): Promise<StepTimes> {
  const random = seeded(seed);
  const rateLimit = () => ({ max: 0, windowMs: 1 });
  const slots = { mlx: 1, ollama: 1 };
  const queue = new RequestQueue({ clock: systemClock, slots, rateLimit, maxDepth: queued * 2 });
  const waiting: Sent[] = [];
  const granted: Sent[] = [];
  let count = 0;
  const enqueue = (abort: AbortController) => {
    count += 1;
    waiting.push(send(queue, `r${count}`, abort, (one) => granted.push(one), random));
  };
  for (let n = 0; n <= queued; n += 1) enqueue(new AbortController());
  await turn();
  const times: StepTimes['times'] = { enqueue: [], cancel: [], dispatch: [] };
  const timed = async (list: number[], run: () => void) => {
    const begin = performance.now();
    run();
    list.push((performance.now() - begin) * 1000);
    await turn();
  };
  const begin = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    const abort = new AbortController();
    await timed(times.enqueue, () => enqueue(abort));
    const leaving = takeWaiting(waiting, random);
    await timed(times.cancel, () => leaving?.abort.abort());
    const next = granted.shift();
    await timed(times.dispatch, () => next?.slot?.release());
    next?.admitted.settle({ kind: 'done' });
  }
  return { times, totalMs: performance.now() - begin };
}

/** Ms to compute the place and the expected wait of every request in a queue of this length. */
export function placesTime(queued: number, seed: number): number {
  const random = seeded(seed);
  const scheduler = new Scheduler({ mlx: 1, ollama: 1 });
  for (let n = 0; n <= queued; n += 1) {
    const { client, priority, model } = anybody(random);
    const wait = { type: 'wait', at: 0, id: `r${n}`, backend: 'ollama' } as const;
    scheduler.handle({ ...wait, client, priority, model, estimateMs: 10_000, loadMs: 0 });
  }
  const begin = performance.now();
  scheduler.waiting('ollama', 0);
  return performance.now() - begin;
}

/** Sends one request; a cancelled one is settled, as the router does it. */
function send(
  queue: RequestQueue,
  id: string,
  abort: AbortController,
  onGranted: (one: Sent) => void,
  random: () => number,
): Sent {
  const { client, priority, model } = anybody(random);
  const wish = { backend: 'ollama', category: 'general', estimateMs: 10_000, loadMs: 0 } as const;
  const admitted = queue.admit({ id, client, priority, rateLimited: false });
  const one: Sent = { admitted, abort, state: 'waiting', slot: null };
  admitted
    .acquire({ ...wish, model, waitMs: LONGEST_WAIT_MS }, () => {}, abort.signal)
    .then(
      (slot) => {
        one.state = 'granted';
        one.slot = slot;
        onGranted(one);
      },
      () => {
        one.state = 'gone';
        admitted.settle({ kind: 'cancelled' });
      },
    );
  return one;
}

/** Removes a random waiting request. */
function takeWaiting(requests: Sent[], random: () => number): Sent | null {
  while (requests.length > 0) {
    const index = below(requests.length, random);
    const picked = requests[index];
    const last = requests.pop();
    if (last && index < requests.length) requests[index] = last;
    if (picked?.state === 'waiting') return picked;
  }
  return null;
}

function anybody(random: () => number) {
  return {
    client: `client ${below(CLIENTS, random)}`,
    priority: PRIORITIES[below(PRIORITIES.length, random)] ?? 'low',
    model: `m${below(MODELS, random)}`,
  };
}

function below(limit: number, random: () => number): number {
  return Math.floor(random() * limit);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
