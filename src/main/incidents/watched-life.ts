import type { BackendStatus } from '../../shared/status';
import type { LifeMoment } from '../supervisor/life';

/** An external server has no supervisor, so its life moments are derived from its status. Null = no moment. */
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
