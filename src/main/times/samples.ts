/**
 * Values kept of one quantity. With eleven, five may be wrong and the middle one is still right; six of a new kind
 * (another disk, a new version of a server) and the estimate follows.
 */
const KEPT = 11;
/** The slow end is at most this many times the typical value, however far off a single measurement was. */
const SLOW_AT_MOST = 4;
/** Share of the values that the slow end covers. */
const SLOW_SHARE = 0.9;

/** The newest measurements of one quantity, any unit; oldest first. */
export class Samples {
  readonly #values: number[];
  /** Asked for with every request, so worked out once per measurement. */
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

  /** What is no measurement (negative, not finite) is ignored. */
  add(value: number): void {
    if (!isMeasurement(value)) return;
    this.#values.push(value);
    if (this.#values.length > KEPT) this.#values.shift();
    this.#known = estimate(this.#values);
  }

  /**
   * The middle value, for what will probably happen. Of an even number the newest is left out, so that the second
   * measurement alone cannot move the first, nor an outlier ever pull the middle of two. Null without any.
   */
  typical(): number | null {
    return this.#known.typical;
  }

  /** The 90 % quantile (nearest rank), for limits: what nine of ten stay below, within 4 times the typical value. */
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

/** One step raises the slowest at most by this factor, and a first one counts at most so many ms. */
const GROWTH = 4;
const FIRST_AT_MOST_MS = 30_000;

/**
 * The slowest step of a model after one more, ms. No quantile: it would forget the rare long prefill among thousands of
 * short steps, and the limit for a hang made of it would end a healthy server. Bounded, as one may have met a machine
 * that slept. What is no measurement changes nothing.
 */
export function slowestAfter(slowestMs: number | null, ms: number): number | null {
  if (!isMeasurement(ms)) return slowestMs;
  return Math.max(slowestMs ?? 0, Math.min(ms, slowestMs ? slowestMs * GROWTH : FIRST_AT_MOST_MS));
}

function isMeasurement(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}
