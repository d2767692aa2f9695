/** Stems of English plural keys (`…_other`). */
type Stem<K> = K extends `${infer Base}_other` ? Base : never;

/**
 * The keys of a language with the plural classes of Russian: every key of English, and for each plural key also `few`
 * and `many`. A missing key is a compile error.
 */
export type RussianShape<T> = {
  [K in keyof T]: T[K] extends string ? string : RussianShape<T[K]>;
} & { [K in Stem<keyof T> as `${K}_few` | `${K}_many`]: string };
