import type { Answer } from '../../../shared/chat';
import type { BackendInstance } from '../../../shared/domain';
import { useInstances } from '../../components/backends';
import { usePart } from '../../stores/core-store';

/** The backend that could get the same question: the first available one, if another one has answered. */
export function useOtherBackend({ meta }: Answer): BackendInstance | null {
  const instances = useInstances();
  const backends = usePart('backends') ?? [];
  if (!instances.some(({ id }) => id === meta.source)) return null;
  const others = instances.filter(({ id }) => id !== meta.source);
  const isThere = ({ id }: BackendInstance) =>
    backends.some((one) => one.id === id && one.state !== 'absent');
  return others.find(isThere) ?? null;
}
