import { buildEntry } from '../support/build-worker.ts';
import type * as Simulation from './memory/run-all.ts';
import type { Figure, Figures } from './report.ts';

export const TRACES = 200;
const GOAL_PERCENT = 90;
/** Each size of Mac gets one trace with its proposed pair of models for so many traces of all. */
const PAIR_TRACE_SHARE = 20;

/**
 * Ledger, guard and supervisor on simulated Macs: how often a server dies from lack of memory and how many tokens are
 * answered without the guard, with it, and with an oracle that knows all sizes.
 */
export async function memory(options: { seed: number; traces: number }): Promise<Figures> {
  const built = await buildEntry('test/bench/memory/run-all.ts');
  try {
    const simulation = (await import(built.url.href)) as typeof Simulation;
    const results = simulation.runAll(options.seed, options.traces);
    const machines = simulation.MACHINES.map((machine) => {
      const own = results.filter((result) => result.machine === machine);
      return own.length > 0 ? figuresOf(machine, own, simulation.SECONDS) : {};
    });
    const pairs = pairFigures(
      simulation.runPairs(options.seed, Math.ceil(options.traces / PAIR_TRACE_SHARE)),
    );
    const total = figuresOf('total', results, simulation.SECONDS);
    return Object.assign({}, ...machines, total, pairs) as Figures;
  } finally {
    await built.remove();
  }
}

/** The pairs of models that Tandem proposes: none may make a server die. */
function pairFigures(results: ReturnType<typeof Simulation.runPairs>): Figures {
  const aborts = results.reduce((sum, { outcome }) => sum + outcome.aborts, 0);
  const answers = results.reduce((sum, { outcome }) => sum + outcome.answers, 0);
  return {
    'pairs.guarded.aborts': { value: aborts, unit: 'aborts', goal: 0, correct: true },
    'pairs.guarded.answers': { value: answers / results.length, unit: 'answers/trace', goal: null },
  };
}

function figuresOf(name: string, results: readonly Simulation.TraceResult[], traceSeconds: number): Figures {
  // Traces that even the oracle does not survive say nothing about the guard.
  const fair = results.flatMap(({ oracle, ...rest }) => (oracle ? [{ ...rest, oracle }] : []));
  const sum = (of: (result: (typeof fair)[number]) => number) =>
    fair.reduce((total, result) => total + of(result), 0);
  const runs = ['unguarded', 'guarded', 'oracle'] as const;
  const tokens = (run: (typeof runs)[number]) => sum((result) => result[run].tokens);
  const figures: Figures = {
    [`${name}.traces`]: { value: results.length, unit: 'traces', goal: null },
    [`${name}.traces_survived_by_oracle`]: { value: fair.length, unit: 'traces', goal: null },
  };
  for (const run of runs) {
    const aborts: Figure = { value: sum((result) => result[run].aborts), unit: 'aborts', goal: null };
    const guarded = run === 'guarded';
    figures[`${name}.${run}.aborts`] = guarded ? { ...aborts, goal: 0, correct: name === 'total' } : aborts;
    const seconds = fair.length * traceSeconds;
    figures[`${name}.${run}.throughput`] = { value: tokens(run) / seconds, unit: 'tokens/s', goal: null };
  }
  const share = (100 * tokens('guarded')) / tokens('oracle');
  const goal = { unit: '%', goal: GOAL_PERCENT, atLeast: true };
  return { ...figures, [`${name}.guarded.share_of_oracle`]: { value: share, ...goal } };
}
