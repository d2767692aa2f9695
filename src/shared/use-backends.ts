/** Values of the setting `useBackends`, in a file without schemas. `both` = the two servers of every run. */
export const USE_BACKENDS = ['both', 'mlx', 'ollama'] as const;

/** Is this backend switched on? The setting concerns the two servers of every run; all others are always on. */
export function isSwitchedOn(id: string, useBackends: unknown): boolean {
  return useBackends === 'both' || useBackends === id || !USE_BACKENDS.some((one) => one === id);
}
