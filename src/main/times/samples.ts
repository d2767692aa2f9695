/**
 * Values kept of one quantity. With eleven, the middle one is right even if five are wrong; after six values from a
 * changed system (another disk, a new server version) the estimate follows.
 */
const KEPT = 11;
/** The slow value is at most this many times the typical one, however extreme a single measurement was. */
const SLOW_AT_MOST = 4;
/** Share of the values that the slow value covers. */
const SLOW_SHARE = 0.9;

/** The newest measurements of one quantity, any unit; oldest first. */
export class Samples {
  readonly #values: number[];
  /** Read for every request, so computed once per measurement. */
  #known: { typical: number | null; slow: number | null };

  constructor(values: readonly number[] = []) {
    this.#values = values.filter(isMeasurement).slice(-KEPT);
    this.#known = estimate(this.#values);
  }

  get count(): number {
    return this.#values.length;
  }

  values(): readonly number[] {
    return this.#values;
  }

  /** Ignores invalid values (negative, not finite). */
  add(value: number): void {
    if (!isMeasurement(value)) return;
    this.#values.push(value);
    if (this.#values.length > KEPT) this.#values.shift();
    this.#known = estimate(this.#values);
  }

  /**
   * The median, as the probable value. Of an even number the newest is left out, so that a second measurement alone
   * cannot change the first, and an outlier never shifts the middle of two. Null without measurements.
   */
  typical(): number | null {
    return this.#known.typical;
  }

  /** The 90 % quantile (nearest rank), for limits: nine of ten values are below it; at most 4 times the typical one. */
  slow(): number | null {
    return this.#known.slow;
  }
}

function estimate(values: readonly number[]): { typical: number | null; slow: number | null } {
  const odd = values.length % 2 === 1 ? [...values] : values.slice(0, -1);
  const typical = odd.sort(ascending)[(odd.length - 1) / 2];
  if (typical === undefined) return { typical: null, slow: null };
  const sorted = [...values].sort(ascending);
  const high = sorted[Math.ceil(SLOW_SHARE * sorted.length) - 1] ?? typical;
  return { typical, slow: Math.max(typical, Math.min(high, SLOW_AT_MOST * typical)) };
}

const ascending = (a: number, b: number) => a - b;

/** One step raises the slowest at most by this factor; a first one counts at most this many ms. */
const GROWTH = 4;
const FIRST_AT_MOST_MS = 30_000;

/**
 * The slowest step of a model after one more, ms. Not a quantile: that would forget the rare long prefill among
 * thousands of short steps, and the hang limit derived from it would end a healthy server. Bounded, because the machine
 * may have slept during a step. Invalid values change nothing.
 */
export function slowestAfter(slowestMs: number | null, ms: number): number | null {
  if (!isMeasurement(ms)) return slowestMs;
  return Math.max(slowestMs ?? 0, Math.min(ms, slowestMs ? slowestMs * GROWTH : FIRST_AT_MOST_MS));
}

function isMeasurement(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}
