import { RequestQueue } from '../../src/main/queue/request-queue';
import type { Admitted, QueueTicket } from '../../src/main/queue/types';
import { PRIORITIES, type Priority } from '../../src/shared/domain';
import { toTandemError } from '../../src/shared/errors';
import { FakeClock } from '../support/fake-clock';
import { seeded } from '../support/seeded';

/** Outcome of one priority's requests. */
export interface Fate {
  arrived: number;
  served: number;
  /** Rejected on arrival, evicted for a more urgent request, or timed out in the queue. */
  refused: number;
  displaced: number;
  timedOut: number;
  /** Queue times of those that got a slot, ms. */
  waits: number[];
}

export interface Overload {
  fates: Record<Priority, Fate>;
  /** Requests that were neither served nor got an error. */
  lost: number;
  /** Number of times when the equations of `/queue/stats` did not hold. */
  unbalanced: number;
}

/** Answers take 5 to 15 s, uniformly distributed. */
const ANSWER_MEAN_MS = 10_000;
export const ANSWER_MOST_MS = 15_000;
/** Shares of all requests. */
const SHARES: Readonly<Record<Priority, number>> = { high: 0.15, medium: 0.35, low: 0.5 };
const HOUR_MS = 3_600_000;
const HOURS = 24;
/** Few enough that the queue sometimes fills up before the maximum wait is over. */
const PLACES = 40;
const LONGEST_WAIT_MS = 300_000;
const CLIENTS = 8;
const MODELS = 5;

/**
 * A day of requests that arrive at random for one slot, `load` times as many as it can serve. `only`: the same
 * requests, but the other priorities are left out. `fifo`: the same requests in order of arrival, without priorities.
 * Bundled before it runs: the sources import each other without extensions.
 */
export async function overload(run: {
  load: number;
  only?: Priority;
  fifo?: boolean;
  seed: number;
}): Promise<Overload> {
  const clock = new FakeClock();
  const rateLimit = () => ({ max: 0, windowMs: 1 });
  const queue = new RequestQueue({ clock, slots: { mlx: 1, ollama: 1 }, rateLimit, maxDepth: PLACES });
  const fates = { high: fate(), medium: fate(), low: fate() };
  let unbalanced = 0;
  queue.onChange(() => {
    if (!isBalanced(queue)) unbalanced += 1;
  });
  for (const priority of PRIORITIES) {
    if (run.only && priority !== run.only) continue;
    const random = seeded(run.seed * 10 + PRIORITIES.indexOf(priority));
    const meanGapMs = ANSWER_MEAN_MS / (run.load * SHARES[priority]);
    const arrive = () => {
      if (clock.now() >= HOURS * HOUR_MS) return;
      const id = `${priority}${fates[priority].arrived}`;
      const client = `${priority} ${Math.floor(random() * CLIENTS)}`;
      const model = `m${Math.floor(random() * MODELS)}`;
      const ticket = { id, client, priority, rateLimited: false };
      const alike = { ...ticket, client: 'all', priority: 'medium' as const };
      const answerMs = ANSWER_MEAN_MS * (0.5 + random());
      void follow(queue, clock, fates[priority], run.fifo ? alike : ticket, run.fifo ? 'm' : model, answerMs);
      clock.after(-Math.log(1 - random()) * meanGapMs, arrive);
    };
    clock.after(0, arrive);
  }
  await clock.advance((HOURS + 2) * HOUR_MS);
  const ended = (one: Fate) => one.served + one.refused + one.displaced + one.timedOut;
  const lost = Object.values(fates).reduce((sum, one) => sum + one.arrived - ended(one), 0);
  return { fates, lost, unbalanced };
}

/** One request from its arrival to its end. */
async function follow(
  queue: RequestQueue,
  clock: FakeClock,
  fate: Fate,
  ticket: QueueTicket,
  model: string,
  answerMs: number,
): Promise<void> {
  const wish = {
    backend: 'ollama',
    model,
    category: 'general',
    estimateMs: ANSWER_MEAN_MS,
    loadMs: 0,
    waitMs: LONGEST_WAIT_MS,
  } as const;
  fate.arrived += 1;
  let admitted: Admitted | null = null;
  try {
    admitted = queue.admit(ticket);
    const slot = await admitted.acquire(wish, () => {}, new AbortController().signal);
    fate.waits.push(slot.waitedMs);
    clock.after(answerMs, () => {
      fate.served += 1;
      slot.release();
      admitted?.settle({ kind: 'done' });
    });
  } catch (thrown) {
    const { code } = toTandemError(thrown);
    if (code === 'queue_timeout') fate.timedOut += 1;
    else if (code === 'queue_full') fate[admitted ? 'displaced' : 'refused'] += 1;
    admitted?.settle({ kind: 'failed', code });
  }
}

function fate(): Fate {
  return { arrived: 0, served: 0, refused: 0, displaced: 0, timedOut: 0, waits: [] };
}

function isBalanced(queue: RequestQueue): boolean {
  const s = queue.stats();
  return (
    s.received === s.accepted + s.rejected &&
    s.accepted === s.done + s.failed + s.cancelled + s.running + s.replaying + s.depth
  );
}
