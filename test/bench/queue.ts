import { buildEntry } from '../support/build-worker.ts';
import type * as Overloads from './queue-overload.ts';
import type * as Steps from './queue-steps.ts';
import { type Figures, median, quantile } from './report.ts';

const QUEUED = 100_000;
const ROUNDS = 20_000;
/** Rounds differ from each other by half. */
const PLACES_ROUNDS = 7;
/** Median cost of one step with 100,000 requests in the queue, µs. */
const GOAL_US = 20;
const SEED = 1;

/**
 * The queue alone: the cost of enqueueing, cancelling and passing on a slot while 100,000 requests wait (real time),
 * and the outcome of each priority at twice the load that can be served (virtual time).
 */
export async function queue(): Promise<Figures> {
  return {
    ...(await bundled<typeof Steps, Figures>('test/bench/queue-steps.ts', steps)),
    ...(await bundled<typeof Overloads, Figures>('test/bench/queue-overload.ts', overload)),
  };
}

async function bundled<M, T>(entry: string, use: (module: M) => Promise<T>): Promise<T> {
  const built = await buildEntry(entry);
  try {
    return await use((await import(built.url.href)) as M);
  } finally {
    await built.remove();
  }
}

async function steps({ stepTimes, placesTime }: typeof Steps): Promise<Figures> {
  const { times, totalMs } = await stepTimes(QUEUED, ROUNDS, SEED);
  const figures: Figures = { 'queue.queued': { value: QUEUED, unit: 'requests', goal: null } };
  for (const [step, values] of Object.entries(times)) {
    figures[`queue.${step}_p50`] = { value: quantile(values, 0.5), unit: 'µs', goal: GOAL_US };
    figures[`queue.${step}_p99`] = { value: quantile(values, 0.99), unit: 'µs', goal: null };
  }
  // Everything: promises, timers, and the updates of places.
  const mean = (totalMs / (ROUNDS * 3)) * 1000;
  figures['queue.step_mean_all_in'] = { value: mean, unit: 'µs', goal: null };
  const rounds = Array.from({ length: PLACES_ROUNDS }, () => placesTime(QUEUED, SEED));
  figures['queue.places_round'] = { value: median(rounds), unit: 'ms', goal: null };
  return figures;
}

async function overload({ overload: run, ANSWER_MOST_MS }: typeof Overloads): Promise<Figures> {
  const crowd = await run({ load: 2, seed: SEED });
  const alone = await run({ load: 2, only: 'high', seed: SEED });
  const fifo = await run({ load: 2, fifo: true, seed: SEED });
  const wait = ({ fates }: Overloads.Overload) => quantile(fates.high.waits, 0.95) / 1000;
  const added = wait(crowd) - wait(alone);
  const figures: Figures = {
    'overload.high.wait_p95': { value: wait(crowd), unit: 's', goal: null },
    'overload.high.wait_p95_alone': { value: wait(alone), unit: 's', goal: null },
    'overload.high.wait_p95_ratio': { value: wait(crowd) / wait(alone), unit: 'x', goal: null },
    // Running requests are not interrupted: the crowd may add the longest answer, and no more.
    'overload.high.wait_p95_added': { value: added, unit: 's', goal: ANSWER_MOST_MS / 1000 },
    'overload.high.wait_p95_fifo': { value: wait(fifo), unit: 's', goal: null },
    'overload.high.shed_fifo': { value: shedPercent(fifo.fates.high), unit: '%', goal: null },
  };
  for (const [priority, fate] of Object.entries(crowd.fates)) {
    const percent = (part: number) => ({ value: (100 * part) / fate.arrived, unit: '%', goal: null });
    const goal = priority === 'high' ? 0 : null;
    figures[`overload.${priority}.served`] = percent(fate.served);
    figures[`overload.${priority}.shed`] = { value: shedPercent(fate), unit: '%', goal };
    figures[`overload.${priority}.shed_refused`] = percent(fate.refused);
    figures[`overload.${priority}.shed_displaced`] = percent(fate.displaced);
    figures[`overload.${priority}.shed_timed_out`] = percent(fate.timedOut);
  }
  figures['overload.lost'] = { value: crowd.lost, unit: 'requests', goal: 0, correct: true };
  figures['overload.unbalanced'] = { value: crowd.unbalanced, unit: 'times', goal: 0, correct: true };
  return figures;
}

function shedPercent({ arrived, refused, displaced, timedOut }: Overloads.Fate): number {
  return (100 * (refused + displaced + timedOut)) / arrived;
}
