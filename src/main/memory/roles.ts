import type { BackendId } from '../../shared/domain';

/** How a server behaves towards memory; a new backend gets a row here and nothing else. */
export interface MemoryRole {
  /** Its process dies when memory runs out, so the guard refuses first; the other kind falls back to slower memory. */
  dies: boolean;
  /** It must never load one model while it answers with another. */
  loadsAlone: boolean;
  /** Its models can be unloaded one by one. */
  unloads: boolean;
  /** A model takes memory for its whole context when it is loaded; prompts take no more. */
  reserves: boolean;
  /** It reports its memory every second of a load, including GPU memory, so that nothing is estimated for it. */
  tells: boolean;
}

export const MEMORY_ROLES: Readonly<Record<BackendId, MemoryRole>> = {
  mlx: { dies: true, loadsAlone: true, unloads: false, reserves: false, tells: true },
  ollama: { dies: false, loadsAlone: false, unloads: true, reserves: true, tells: false },
};
