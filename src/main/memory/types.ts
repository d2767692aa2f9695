/** One reading of the machine's memory. */
export interface MemorySample {
  /** Bytes of the machine, or of the control group where that is the tighter limit. */
  totalBytes: number;
  /** Bytes in use, file cache not counted. */
  usedBytes: number;
  /** The kernel's own word: 1 normal, 2 warning, 4 critical (macOS); null where the system has none. */
  kernelLevel: 1 | 2 | 4 | null;
  source: 'vm_stat' | 'memory_pressure' | 'proc' | 'cgroup';
}

export interface MemorySampler {
  /** Rejects when the system's figures cannot be had or read; never invents one. */
  sample(): Promise<MemorySample>;
}

/** A figure with its origin. Bytes; null = nobody tells, which is never the same as 0. */
export interface Figure {
  bytes: number | null;
  /** Who told it: `launcher`, `proc`, `footprint`, `api/ps`, `estimate`. */
  source: string;
  /** Wall time in ms at which it was true. */
  at: number;
}

/** A model that a server holds in memory, or is loading. */
export interface LoadedModel {
  /** Under the name that requests use. */
  name: string;
  /** Weights, caches and buffers together. */
  size: Figure;
  /** False while the load is under way; `size` is then what it will be, if that is known. */
  ready: boolean;
  /** It was loaded for a request of ours, so that it may be unloaded without asking. */
  ours: boolean;
  /** Requests that it answers now. */
  active: number;
  /** `Clock.now` in ms at the end of its last request of ours: a date that is set does not move it; null = none yet. */
  lastUsedAt: number | null;
}

/** What a server on this machine holds. Read often, so it tells what is known and never asks anybody. */
export interface MemoryFigures {
  /** All processes of the server with their children as the OS counts them: physical footprint, else resident. */
  process: Figure;
  /** Where the server tells its inside: parts of `process`, never added to it. */
  inside: { weights: Figure | null; kvCache: Figure | null; buffers: Figure | null };
  /** The largest that the inside has been since the server started. */
  peak: Figure | null;
  /** What the GPU allows as the server tells it: in all, and in one buffer. Null = not told. */
  device: { workingSet: Figure | null; buffer: Figure | null };
}

/** A server that keeps models in this machine's memory. Each backend implements it for itself. */
export interface MemoryHolder {
  /** All null while no process of it runs here (a remote server has no memory on this machine). */
  figures(): MemoryFigures;
  loaded(): readonly LoadedModel[];
  /**
   * Frees the memory of one model that is `ours`; a model that is not loaded is freed already. Resolves when the server
   * says that it is gone. Rejects with `unsupported` where models go only with the process, or by loading another.
   */
  unload(model: string, signal: AbortSignal): Promise<void>;
}
