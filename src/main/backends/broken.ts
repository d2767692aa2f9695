import { isTandemError } from '../../shared/errors';

/** Failures behind which a server may have died: its connection broke, or it says that it cannot go on. */
const BROKEN: ReadonlySet<string> = new Set(['backend_failed', 'mlx_down', 'ollama_down']);

export function isBroken(error: unknown): boolean {
  return isTandemError(error) && BROKEN.has(error.code);
}
