import type { BackendId } from '../../shared/domain';
import type { Settings } from '../../shared/settings';
import { isSwitchedOn } from '../../shared/use-backends';
import type { Backend } from '../backends/backend';
import type { BackendRegistry } from '../backends/registry';
import type { MemoryHolder } from '../memory/types';
import { type FitPlace, fitPlace } from '../models/fit';
import type { PairServer, PairServers } from '../models/pair';

interface ModelServerParts {
  loader: Backend;
  modelHost: Backend;
  registry: BackendRegistry;
  settings(): Settings;
  /** Bytes of this machine; null until they are known. */
  totalBytes(): number | null;
}

/** Where models would run: the servers that they are proposed for, and the place of each server's models. */
export function modelServers({ loader, modelHost, registry, settings, totalBytes }: ModelServerParts): {
  servers(): PairServers;
  place(backend: BackendId): FitPlace | null;
} {
  const proposed = (backend: Backend): PairServer =>
    isSwitchedOn(backend.instance.id, settings().useBackends) ? here(backend) : null;
  const servers = () => ({ light: proposed(loader), heavy: proposed(modelHost) });
  return {
    servers,
    place: (backend) => {
      const server = here(registry.get(backend));
      const total = totalBytes();
      if (!server || total === null) return null;
      const machine = { totalBytes: total, criticalPercent: settings().memoryCriticalPercent };
      return fitPlace(machine, servers(), server);
    },
  };
}

/** Null for a server on another machine. */
function here(backend: Backend | (Backend & MemoryHolder)): PairServer {
  const isHere = 'behaviour' in backend && backend.status().ownership !== 'remote';
  return isHere ? { backend: backend.instance.id, behaviour: backend.behaviour } : null;
}
