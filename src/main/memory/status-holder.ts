import { TandemError } from '../../shared/errors';
import type { BackendStatus } from '../../shared/status';
import type { MemoryBehaviour, MemoryFigures, MemoryHolder } from './types';

/** A server of another owner decides itself what it loads. */
const OF_OTHERS: MemoryBehaviour = {
  dies: false,
  loadsAlone: false,
  unloads: false,
  reserves: true,
  reports: false,
};

/** For a server whose memory is known only from its status: the bytes of its processes, and its loaded model. */
export function statusHolder(status: () => BackendStatus, now: () => number): MemoryHolder {
  const source = 'status';
  return {
    behaviour: OF_OTHERS,
    figures(): MemoryFigures {
      const bytes = isHere(status()) ? status().memoryBytes : null;
      return {
        process: { bytes, source, at: now() },
        inside: { weights: null, kvCache: null, buffers: null },
        peak: null,
        device: { workingSet: null, buffer: null },
      };
    },
    loaded() {
      const { model, activeRequests, draining } = status();
      if (!isHere(status()) || model === null) return [];
      const size = { bytes: null, source, at: now() };
      return [
        { name: model, size, ready: true, ours: true, active: activeRequests + draining, lastUsedAt: null },
      ];
    },
    unload: () => Promise.reject(new TandemError('unsupported', 'This server cannot unload a single model.')),
  };
}

/** Does it use memory of this machine? */
export function isHere({ ownership }: BackendStatus): boolean {
  return ownership === 'managed' || ownership === 'adopted';
}
