/**
 * What a table says of a key that comes from outside, or undefined. Indexing would also find what every object inherits,
 * such as `constructor`.
 */
export function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
