/** One reading of the machine's memory. */
export interface MemorySample {
  /** Bytes of the machine, or of the control group if its limit is lower. */
  totalBytes: number;
  /** Bytes in use, file cache not counted. */
  usedBytes: number;
  /** The kernel's pressure level: 1 normal, 2 warning, 4 critical (macOS); null if the system has none. */
  kernelLevel: 1 | 2 | 4 | null;
  source: 'vm_stat' | 'memory_pressure' | 'proc' | 'cgroup';
}

export interface MemorySampler {
  /** Rejects if the system's figures cannot be read; never invents one. */
  sample(): Promise<MemorySample>;
}

/** A figure with its origin. Bytes; null = unknown, which is never the same as 0. */
export interface Figure {
  bytes: number | null;
  /** Its source: `launcher`, `proc`, `footprint`, `api/ps`, `estimate`. */
  source: string;
  /** Wall time in ms of the reading. */
  at: number;
}

/** A model that a server has loaded or is loading. */
export interface LoadedModel {
  /** The name that requests use. */
  name: string;
  /** Weights, caches and buffers together. */
  size: Figure;
  /** False while it is being loaded; `size` is then the expected size, if known. */
  ready: boolean;
  /** Loaded for a request of ours, so that it may be unloaded without asking. */
  ours: boolean;
  /** Requests that it answers now. */
  active: number;
  /** `Clock.now` in ms at the end of its last request of ours, unaffected by a change of the date; null = none yet. */
  lastUsedAt: number | null;
}

/** Memory of a server on this machine. Read often: it returns known figures and sends no request. */
export interface MemoryFigures {
  /** All processes of the server with their children, as the OS counts them: physical footprint, else resident. */
  process: Figure;
  /** Parts of `process` if the server reports them; never added to it. */
  inside: { weights: Figure | null; kvCache: Figure | null; buffers: Figure | null };
  /** Highest sum of the parts since the server started. */
  peak: Figure | null;
  /** What its caches may still take without a further promise, such as snapshots of prompts; absent = nothing. */
  mayGrow?: Figure;
  /** Limits of the GPU as the server reports them: total and per buffer. Null = not reported. */
  device: { workingSet: Figure | null; buffer: Figure | null };
}

/** How a kind of server behaves towards memory. */
export interface MemoryBehaviour {
  /** Its process dies when memory runs out, so the guard refuses first; the other kind falls back to slower memory. */
  dies: boolean;
  /** It must never load one model while it answers with another. */
  loadsAlone: boolean;
  /** Its models can be unloaded one by one. */
  unloads: boolean;
  /** A model takes memory for its whole context when it is loaded; prompts take no more. */
  reserves: boolean;
  /** It reports its memory every second of a load, including GPU memory, so that nothing is estimated for it. */
  reports: boolean;
}

/** A server that loads models into this machine's memory. Each backend implements it. */
export interface MemoryHolder {
  readonly behaviour: MemoryBehaviour;
  /** All null while no process of it runs here (a remote server has no memory on this machine). */
  figures(): MemoryFigures;
  loaded(): readonly LoadedModel[];
  /**
   * Unloads one model that is `ours`; a model that is not loaded counts as unloaded. Resolves when the server reports
   * that it is gone. Rejects with `unsupported` if models are freed only by ending the process or by loading another.
   */
  unload(model: string, signal: AbortSignal): Promise<void>;
}
