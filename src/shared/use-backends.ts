/** Values of the setting `useBackends`, in a file without schemas. `both` = all backends. */
export const USE_BACKENDS = ['both', 'mlx', 'ollama'] as const;
