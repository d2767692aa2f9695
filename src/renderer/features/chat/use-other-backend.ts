import type { Answer } from '../../../shared/chat';
import type { BackendId } from '../../../shared/domain';
import { usePart } from '../../stores/core-store';

/** The server that could get the same question: the one that did not answer, if it is available. */
export function useOtherBackend({ meta }: Answer): BackendId | null {
  const backends = usePart('backends');
  const other = meta.source === 'mlx' ? 'ollama' : meta.source === 'ollama' ? 'mlx' : null;
  const state = backends?.find(({ id }) => id === other)?.state;
  return state === undefined || state === 'absent' ? null : other;
}
