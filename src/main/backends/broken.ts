import { isTandemError } from '../../shared/errors';

/** Failures that may mean a dead server: its connection broke, or it reports that it cannot continue. */
const BROKEN: ReadonlySet<string> = new Set(['backend_failed', 'mlx_down', 'ollama_down']);

export function isBroken(error: unknown): boolean {
  return isTandemError(error) && BROKEN.has(error.code);
}
