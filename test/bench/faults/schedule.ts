import { seeded } from '../../support/seeded.ts';

/** Rounds of all kinds, each shuffled; the same seed gives the same schedule. */
export function* schedule<T>(kinds: readonly T[], seed: number): Generator<T> {
  const random = seeded(seed);
  for (;;) {
    const round = [...kinds];
    for (let left = round.length; left > 0; left -= 1) {
      const [kind] = round.splice(Math.floor(random() * left), 1);
      if (kind !== undefined) yield kind;
    }
  }
}
