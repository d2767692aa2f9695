import { buildEntry } from '../support/build-worker.ts';
import type * as Load from './queue-load.ts';
import { type Figures, quantile } from './report.ts';

const QUEUED = 100_000;
const ROUNDS = 20_000;
/** Median cost of one step with 100,000 requests in the queue, µs. */
const GOAL_US = 20;
const SEED = 1;

/**
 * The queue by itself: what taking in, leaving and handing on a slot cost while 100,000 requests wait (real time), and
 * what becomes of each priority when twice as much comes as can be served (virtual time).
 */
export async function queue(): Promise<Figures> {
  const built = await buildEntry('test/bench/queue-load.ts');
  try {
    const load = (await import(built.url.href)) as typeof Load;
    const times = await load.stepTimes(QUEUED, ROUNDS, SEED);
    return { ...steps(times, load.placesTime(QUEUED, SEED)), ...(await overload(load)) };
  } finally {
    await built.remove();
  }
}

function steps({ times, totalMs }: Load.StepTimes, placesMs: number): Figures {
  const figures: Figures = { 'queue.queued': { value: QUEUED, unit: 'requests', goal: null } };
  for (const [step, values] of Object.entries(times)) {
    figures[`queue.${step}_p50`] = { value: quantile(values, 0.5), unit: 'µs', goal: GOAL_US };
    figures[`queue.${step}_p99`] = { value: quantile(values, 0.99), unit: 'µs', goal: null };
  }
  // Everything: promises, timers, and the rounds in which places are told.
  const mean = (totalMs / (ROUNDS * 3)) * 1000;
  figures['queue.step_mean_all_in'] = { value: mean, unit: 'µs', goal: null };
  figures['queue.places_round'] = { value: placesMs, unit: 'ms', goal: null };
  return figures;
}

async function overload(load: typeof Load): Promise<Figures> {
  const crowd = await load.overload({ load: 2, only: null, seed: SEED });
  const alone = await load.overload({ load: 2, only: 'high', seed: SEED });
  const wait = (run: Load.Overload) => quantile(run.fates.high.waits, 0.95) / 1000;
  const figures: Figures = {
    'overload.high.wait_p95': { value: wait(crowd), unit: 's', goal: null },
    'overload.high.wait_p95_alone': { value: wait(alone), unit: 's', goal: null },
    'overload.high.wait_p95_ratio': { value: wait(crowd) / wait(alone), unit: 'x', goal: null },
    'overload.answer_mean': { value: load.SERVICE_MEAN_MS / 1000, unit: 's', goal: null },
  };
  for (const [priority, fate] of Object.entries(crowd.fates)) {
    const percent = (part: number) => ({ value: (100 * part) / fate.arrived, unit: '%', goal: null });
    const shed = fate.refused + fate.displaced + fate.timedOut;
    figures[`overload.${priority}.served`] = percent(fate.served);
    figures[`overload.${priority}.shed`] = { ...percent(shed), goal: priority === 'high' ? 0 : null };
    figures[`overload.${priority}.shed_refused`] = percent(fate.refused);
    figures[`overload.${priority}.shed_displaced`] = percent(fate.displaced);
    figures[`overload.${priority}.shed_timed_out`] = percent(fate.timedOut);
  }
  figures['overload.lost'] = { value: crowd.lost, unit: 'requests', goal: 0, correct: true };
  figures['overload.unbalanced'] = { value: crowd.unbalanced, unit: 'times', goal: 0, correct: true };
  return figures;
}
