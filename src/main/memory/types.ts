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
