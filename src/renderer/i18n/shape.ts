/** Key stems that English counts with (`…_other`). */
type Stem<K> = K extends `${infer Base}_other` ? Base : never;

/**
 * What a language with the plural classes of Russian must have: every key of English, and for each counted key
 * also `few` and `many`. A missing one is a compile error.
 */
export type RussianShape<T> = {
  [K in keyof T]: T[K] extends string ? string : RussianShape<T[K]>;
} & { [K in Stem<keyof T> as `${K}_few` | `${K}_many`]: string };
