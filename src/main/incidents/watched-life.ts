import type { BackendStatus } from '../../shared/status';
import type { LifeMoment } from '../supervisor/life';

/** A server that is not ours has no supervisor: its life is read off its status. Null = nothing to tell. */
export function watchedMoment(before: BackendStatus, after: BackendStatus): LifeMoment | null {
  if (after.state === 'adopted' && before.state !== 'adopted') {
    return {
      type: 'adopted',
      cause: null,
      facts: {
        ...(after.url === null ? {} : { address: new URL(after.url).host }),
        ...(after.version === null ? {} : { version: after.version }),
      },
    };
  }
  if (before.state === 'adopted' && after.state === 'absent') {
    return { type: 'lost', cause: null, facts: after.lastError ? { code: after.lastError.code } : {} };
  }
  return null;
}
