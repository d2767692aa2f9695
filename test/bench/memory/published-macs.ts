/**
 * Data of the simulated Macs. Only the simulator reads this file: ledger and guard must work with the figures of
 * samplers (a test checks that nothing in `src/` imports it).
 *
 * - working set: `recommendedMaxWorkingSetSize`, three quarters of memory; the issue requires it for all sizes (Apple
 *   gives two thirds up to 36 GB)
 * - buffer: `maxBufferLength`, 27 GiB on an M4 Pro with 48 GB, scaled proportionally here
 * - bandwidth: Apple's technical specifications
 * - disk: sequential reads as measured in reviews
 */
export interface PublishedMac {
  name: string;
  totalBytes: number;
  workingSetBytes: number;
  bufferBytes: number;
  /** Memory bandwidth in bytes per second: decoding reads all weights once per token. */
  bandwidth: number;
  diskBytesPerS: number;
  /** Kernel and drivers, never paged out. */
  wiredBytes: number;
}

const GIB = 2 ** 30;

function mac(name: string, gib: number, gigabytesPerS: number, diskGb: number): PublishedMac {
  const totalBytes = gib * GIB;
  const workingSetBytes = totalBytes * 0.75;
  return {
    name,
    totalBytes,
    workingSetBytes,
    bufferBytes: workingSetBytes * 0.75,
    bandwidth: gigabytesPerS * 1e9,
    diskBytesPerS: diskGb * 1e9,
    wiredBytes: 1.6e9 + totalBytes * 0.015,
  };
}

export const PUBLISHED_MACS: readonly PublishedMac[] = [
  mac('mac-mini-m4-16', 16, 120, 2.9),
  mac('mac-studio-m1-max-32', 32, 400, 5.2),
  mac('mac-studio-m2-max-64', 64, 400, 5.5),
  mac('mac-studio-m4-max-128', 128, 546, 6.5),
  mac('mac-studio-m2-ultra-192', 192, 800, 6.0),
];

/** One Mac of each size that the catalogue of models knows, by GiB. */
export const CLASS_MACS: readonly PublishedMac[] = [
  mac('8', 8, 100, 1.5),
  mac('16', 16, 120, 2.9),
  mac('24', 24, 120, 2.9),
  mac('32', 32, 400, 5.2),
  mac('48', 48, 273, 6.0),
  mac('64', 64, 400, 5.5),
  mac('96', 96, 819, 6.0),
  mac('128', 128, 546, 6.5),
  mac('192', 192, 800, 6.0),
  mac('256', 256, 819, 6.0),
  mac('512', 512, 819, 6.0),
];

/** Sizes of Macs in GiB. */
export const MEMORY_CLASSES = CLASS_MACS.map(({ totalBytes }) => totalBytes / GIB);

export interface PublishedModel {
  name: string;
  weightsBytes: number;
  /** Tokens that the steady server reserves when it loads the model; absent = `HEAVY_CONTEXT_TOKENS`. */
  contextTokens?: number;
  /** 2 × layers × kv heads × head size × 2 bytes, from the published configurations. */
  kvBytesPerToken: number;
  largestTensorBytes: number;
}

function model(name: string, gigabytes: number, kvBytesPerToken: number, tensorGb: number): PublishedModel {
  return { name, weightsBytes: gigabytes * 1e9, kvBytesPerToken, largestTensorBytes: tensorGb * 1e9 };
}

/** 4-bit conversions for MLX; the light ones serve small talk. */
export const LIGHT_MODELS: readonly PublishedModel[] = [
  model('tinyllama-1.1b', 0.62, 22_528, 0.04),
  model('qwen2.5-3b', 1.74, 36_864, 0.18),
  model('phi3.5-mini', 2.15, 393_216, 0.06),
];
export const NAMED_MODELS: readonly PublishedModel[] = [
  model('qwen2.5-7b', 4.28, 57_344, 0.31),
  model('llama2-13b', 7.32, 819_200, 0.1),
  model('qwen2.5-14b', 8.31, 196_608, 0.44),
  model('qwen2.5-32b', 18.4, 262_144, 0.44),
  model('llama3.3-70b', 39.7, 327_680, 0.6),
  // Experts are stacked into one array per layer.
  model('mixtral-8x22b-bf16', 141, 229_376, 1.6),
];
/** Q4_K_M files with a context of 8,192 tokens, as Ollama loads them. */
export const HEAVY_MODELS: readonly PublishedModel[] = [
  model('qwen2.5-coder:7b', 4.7, 57_344, 0.4),
  model('qwen2.5-coder:14b', 9.0, 196_608, 0.5),
  model('qwen2.5-coder:32b', 19.9, 262_144, 0.6),
  model('llama3.3:70b', 42.5, 327_680, 0.8),
  model('command-r-plus:104b', 67, 262_144, 1.7),
];
export const HEAVY_CONTEXT_TOKENS = 8192;
