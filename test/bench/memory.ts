import { buildEntry } from '../support/build-worker.ts';
import type * as Simulation from './memory/run-all.ts';
import type { Figure, Figures } from './report.ts';

export const TRACES = 200;
const GOAL_PERCENT = 90;

/**
 * Ledger, guard and supervisor against simulated Macs: how often a server dies of memory and how many tokens are
 * answered without the guard, with it, and by an oracle that knows all sizes.
 */
export async function memory(options: { seed: number; traces: number }): Promise<Figures> {
  const built = await buildEntry('test/bench/memory/run-all.ts');
  try {
    const simulation = (await import(built.url.href)) as typeof Simulation;
    const results = simulation.runAll(options.seed, options.traces);
    const machines = simulation.MACHINES.map((machine) => {
      const own = results.filter((result) => result.machine === machine);
      return own.length > 0 ? figuresOf(machine, own) : {};
    });
    return Object.assign({}, ...machines, figuresOf('total', results)) as Figures;
  } finally {
    await built.remove();
  }
}

function figuresOf(name: string, results: readonly Simulation.TraceResult[]): Figures {
  // What the oracle does not survive says nothing of the guard.
  const fair = results.flatMap(({ oracle, ...rest }) => (oracle ? [{ ...rest, oracle }] : []));
  const sum = (of: (result: (typeof fair)[number]) => number) =>
    fair.reduce((total, result) => total + of(result), 0);
  const count = (value: number): Figure => ({ value, unit: 'aborts', goal: null });
  const share = (value: number): Figure => ({
    value: (100 * value) / sum(({ oracle }) => oracle.tokens),
    unit: '% of oracle',
    goal: null,
  });
  const guarded = share(sum((result) => result.guarded.tokens));
  return {
    [`${name}.traces`]: { value: results.length, unit: 'traces', goal: null },
    [`${name}.traces_survived_by_oracle`]: { value: fair.length, unit: 'traces', goal: null },
    [`${name}.unguarded.aborts`]: count(sum((result) => result.unguarded.aborts)),
    [`${name}.guarded.aborts`]: {
      ...count(sum((result) => result.guarded.aborts)),
      goal: 0,
      correct: name === 'total',
    },
    [`${name}.unguarded.throughput`]: share(sum((result) => result.unguarded.tokens)),
    [`${name}.guarded.throughput`]: { ...guarded, goal: GOAL_PERCENT, atLeast: true },
  };
}
