import { isDownCode, isTandemError } from '../../shared/errors';

/** May this failure mean a dead server? Its connection broke, or it reports that it cannot continue. */
export function isBroken(error: unknown): boolean {
  return isTandemError(error) && (error.code === 'backend_failed' || isDownCode(error.code));
}
