import { TandemError } from '../../shared/errors';

/** A model that a request uses is neither unloaded nor deleted. */
export function inUse(model: string): TandemError {
  return new TandemError('busy', `${model} is in use. Wait until its answer has ended, then try again.`, {
    details: { model },
  });
}
