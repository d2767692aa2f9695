import { useCallback, useEffect, useState } from 'react';
import type { CallOutput } from '../../../shared/contract';
import { request } from '../../stores/request';

export interface HubTokenForm {
  /** Whether there is a token; null until it is known. The token itself never leaves the core. */
  state: CallOutput<'hubTokenState'> | null;
  refresh: () => Promise<void>;
}

/** Whether the core has a token for gated repositories. */
export function useHubToken(): HubTokenForm {
  const [state, setState] = useState<HubTokenForm['state']>(null);
  const refresh = useCallback(async () => {
    const outcome = await request('hubTokenState', {});
    if (outcome.ok) setState(outcome.value);
  }, []);
  useEffect(() => void refresh(), [refresh]);
  return { state, refresh };
}
