import type { Handlers } from '../../shared/contract';
import { TandemError } from '../../shared/errors';
import type { PullService } from '../models/pulls';

type DownloadCall =
  | 'modelLookup'
  | 'downloadStart'
  | 'downloadPause'
  | 'downloadCancel'
  | 'downloadDismiss'
  | 'hubTokenSet'
  | 'hubTokenState';

/** Replaced when the branch with downloads is merged. */
export function downloadHandlers({ pulls }: { pulls: PullService }): Pick<Handlers, DownloadCall> {
  const missing = async () => {
    throw new TandemError('unsupported', 'This part is not built in yet.');
  };
  return {
    modelLookup: missing,
    downloadStart: async ({ name, insecure }) => {
      pulls.start(name, insecure);
      return {};
    },
    downloadPause: missing,
    downloadCancel: async ({ name }) => {
      pulls.cancel(name);
      return {};
    },
    downloadDismiss: missing,
    hubTokenSet: missing,
    hubTokenState: missing,
  };
}
