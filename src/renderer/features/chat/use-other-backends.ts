import type { Answer } from '../../../shared/chat';
import type { BackendInstance } from '../../../shared/domain';
import { useInstances } from '../../components/backends';
import { usePart } from '../../stores/core-store';

/** The backends that could get the same question: the others that are available, if one has answered. */
export function useOtherBackends({ meta }: Answer): BackendInstance[] {
  const instances = useInstances();
  const backends = usePart('backends') ?? [];
  if (!instances.some(({ id }) => id === meta.source)) return [];
  const isThere = ({ id }: BackendInstance) =>
    backends.some((one) => one.id === id && one.state !== 'absent');
  return instances.filter((one) => one.id !== meta.source && isThere(one));
}
