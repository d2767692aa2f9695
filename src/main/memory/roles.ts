import type { BackendId } from '../../shared/domain';

/** How a server behaves towards memory; a new backend gets a row here and nothing else. */
export interface MemoryRole {
  /** Its process dies when memory runs out, so it is refused before; the other kind falls back to slower memory. */
  dies: boolean;
  /** It must never load one model while it answers with another. */
  loadsAlone: boolean;
  /** Its models can be unloaded one by one. */
  unloads: boolean;
  /** A model takes its whole context when it is loaded, and nothing more with each prompt. */
  reserves: boolean;
  /** It tells every second of a load what it holds, the GPU's part included, so that nothing has to be guessed for it. */
  tells: boolean;
}

export const MEMORY_ROLES: Readonly<Record<BackendId, MemoryRole>> = {
  mlx: { dies: true, loadsAlone: true, unloads: false, reserves: false, tells: true },
  ollama: { dies: false, loadsAlone: false, unloads: true, reserves: true, tells: false },
};
