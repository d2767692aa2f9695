import { systemClock } from '../../src/main/ports/clock';
import { RequestQueue } from '../../src/main/queue/request-queue';
import { Scheduler } from '../../src/main/queue/scheduler';
import type { Admitted, Slot, SlotWish } from '../../src/main/queue/types';
import { PRIORITIES, type Priority } from '../../src/shared/domain';
import { toTandemError } from '../../src/shared/errors';
import { FakeClock } from '../support/fake-clock';
import { seeded } from '../support/seeded';

/** The load for `queue.ts`; bundled before it runs, because the sources import each other without extensions. */

const CLIENTS = 200;
const MODELS = 5;
const HOUR_MS = 3_600_000;

export interface StepTimes {
  /** µs of each call. */
  times: { enqueue: number[]; cancel: number[]; dispatch: number[] };
  /** Ms of the whole loop, with everything that the calls set off. */
  totalMs: number;
}

interface Request {
  admitted: Admitted;
  abort: AbortController;
  state: 'waiting' | 'granted' | 'gone';
  slot: Slot | null;
}

/** Fills the queue, then enqueues, cancels and dispatches in turn, so that it stays as full as it is. */
export async function stepTimes(queued: number, rounds: number, seed: number): Promise<StepTimes> {
  const random = seeded(seed);
  const queue = new RequestQueue({ ...options(systemClock), maxDepth: queued * 2 });
  const waiting: Request[] = [];
  const granted: Request[] = [];
  const enqueue = (abort: AbortController) => {
    const request = send(queue, wishOf(random), PRIORITIES[below(3, random)] ?? 'low', abort, random);
    waiting.push(request.request);
    request.slot.then(
      () => granted.push(request.request),
      () => {},
    );
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

/** Ms that it takes to work out the place and the expected wait of everybody in a line of this length. */
export function placesTime(queued: number, seed: number): number {
  const random = seeded(seed);
  const scheduler = new Scheduler({ mlx: 1, ollama: 1 });
  for (let n = 0; n <= queued; n += 1) {
    const priority = PRIORITIES[below(3, random)] ?? 'low';
    const { backend, model, estimateMs } = wishOf(random);
    const client = clientOf(random);
    scheduler.handle({ type: 'wait', at: 0, id: `r${n}`, backend, model, priority, client, estimateMs });
  }
  const begin = performance.now();
  scheduler.waiting('ollama', 0);
  return performance.now() - begin;
}

/** What became of one priority's requests. */
export interface Fate {
  arrived: number;
  served: number;
  /** Refused at the door, put out for a more urgent one, given up after the longest wait. */
  refused: number;
  displaced: number;
  timedOut: number;
  /** Ms in the queue of those that were served. */
  waits: number[];
}

export interface Overload {
  fates: Record<Priority, Fate>;
  /** Accepted requests that neither were served nor got an error. */
  lost: number;
  /** Moments in which the equations of `/queue/stats` did not hold. */
  unbalanced: number;
}

/** Answers take 5 to 15 s, evenly. */
export const SERVICE_MEAN_MS = 10_000;
const SHARES: Readonly<Record<Priority, number>> = { high: 0.15, medium: 0.35, low: 0.5 };
const HOURS = 24;
/** Small enough that the bound is met long before the longest wait. */
const PLACES = 40;
const CLIENTS_IN_CROWD = 8;
const LONGEST_WAIT_MS = 300_000;

/**
 * A day of requests that come at random to one slot, `load` times as many as it can serve. `only`: the very same
 * requests, of which the others stay away.
 */
export async function overload(run: {
  load: number;
  only: Priority | null;
  seed: number;
}): Promise<Overload> {
  const clock = new FakeClock();
  const queue = new RequestQueue({ ...options(clock), maxDepth: PLACES });
  const fates = { high: fate(), medium: fate(), low: fate() };
  let unbalanced = 0;
  queue.onChange(() => {
    if (!isBalanced(queue)) unbalanced += 1;
  });
  for (const priority of PRIORITIES) {
    if (run.only !== null && priority !== run.only) continue;
    const random = seeded(run.seed * 10 + PRIORITIES.indexOf(priority));
    const meanGap = SERVICE_MEAN_MS / (run.load * SHARES[priority]);
    const arrive = () => {
      if (clock.now() >= HOURS * HOUR_MS) return;
      void follow(queue, clock, priority, fates[priority], random);
      clock.after(-Math.log(1 - random()) * meanGap, arrive);
    };
    clock.after(0, arrive);
  }
  await clock.advance((HOURS + 2) * HOUR_MS);
  const ended = (one: Fate) => one.served + one.refused + one.displaced + one.timedOut;
  const lost = Object.values(fates).reduce((sum, one) => sum + one.arrived - ended(one), 0);
  return { fates, lost, unbalanced: isBalanced(queue) ? unbalanced : unbalanced + 1 };
}

/** One request from its arrival to its end. */
async function follow(
  queue: RequestQueue,
  clock: FakeClock,
  priority: Priority,
  one: Fate,
  random: () => number,
): Promise<void> {
  const serviceMs = SERVICE_MEAN_MS * (0.5 + random());
  const wish = { ...wishOf(random), estimateMs: SERVICE_MEAN_MS, waitMs: LONGEST_WAIT_MS };
  const client = `${priority} ${below(CLIENTS_IN_CROWD, random)}`;
  one.arrived += 1;
  let admitted: Admitted | null = null;
  try {
    admitted = queue.admit({ id: `${priority}${one.arrived}`, client, priority, rateLimited: false });
    const slot = await admitted.acquire(wish, () => {}, new AbortController().signal);
    one.waits.push(slot.waitedMs);
    clock.after(serviceMs, () => {
      one.served += 1;
      slot.release();
      admitted?.settle({ kind: 'done' });
    });
  } catch (thrown) {
    const { code } = toTandemError(thrown);
    if (code === 'queue_timeout') one.timedOut += 1;
    else if (code === 'queue_full') one[admitted ? 'displaced' : 'refused'] += 1;
    admitted?.settle({ kind: 'failed', code });
  }
}

function isBalanced(queue: RequestQueue): boolean {
  const s = queue.stats();
  return (
    s.received === s.accepted + s.rejected &&
    s.accepted === s.done + s.failed + s.cancelled + s.running + s.replaying + s.depth
  );
}

function fate(): Fate {
  return { arrived: 0, served: 0, refused: 0, displaced: 0, timedOut: 0, waits: [] };
}

function options(clock: ConstructorParameters<typeof RequestQueue>[0]['clock']) {
  return { clock, slots: { mlx: 1, ollama: 1 }, rateLimit: () => ({ max: 0, windowMs: 1 }) };
}

let sent = 0;

function send(
  queue: RequestQueue,
  wish: SlotWish,
  priority: Priority,
  abort: AbortController,
  random: () => number,
): { request: Request; slot: Promise<void> } {
  sent += 1;
  const admitted = queue.admit({ id: `r${sent}`, client: clientOf(random), priority, rateLimited: false });
  const request: Request = { admitted, abort, state: 'waiting', slot: null };
  const slot = admitted
    .acquire(wish, () => {}, abort.signal)
    .then(
      (granted) => {
        request.state = 'granted';
        request.slot = granted;
      },
      (error) => {
        request.state = 'gone';
        admitted.settle({ kind: 'cancelled' });
        throw error;
      },
    );
  return { request, slot };
}

/** Takes out one that still waits, any of them. */
function takeWaiting(requests: Request[], random: () => number): Request | null {
  while (requests.length > 0) {
    const index = below(requests.length, random);
    const picked = requests[index];
    const last = requests.pop();
    if (last && index < requests.length) requests[index] = last;
    if (picked?.state === 'waiting') return picked;
  }
  return null;
}

function wishOf(random: () => number): SlotWish {
  const model = `m${below(MODELS, random)}`;
  return { backend: 'ollama', model, category: 'general', estimateMs: 10_000, waitMs: 2 * HOUR_MS };
}

function clientOf(random: () => number): string {
  return `client ${below(CLIENTS, random)}`;
}

function below(limit: number, random: () => number): number {
  return Math.floor(random() * limit);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
