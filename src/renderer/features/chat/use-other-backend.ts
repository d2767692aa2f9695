import type { Answer } from '../../../shared/chat';
import type { BackendId } from '../../../shared/domain';
import { usePart } from '../../stores/core-store';

/** The server that could be asked the same: the one that did not answer, if it is there at all. */
export function useOtherBackend({ meta }: Answer): BackendId | null {
  const backends = usePart('backends');
  const other = meta.source === 'mlx' ? 'ollama' : meta.source === 'ollama' ? 'mlx' : null;
  const state = backends?.find(({ id }) => id === other)?.state;
  return state === undefined || state === 'absent' ? null : other;
}
