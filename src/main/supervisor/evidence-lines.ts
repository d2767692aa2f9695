import type { LinePattern } from './log-ring';

/**
 * Kinds of lines that a server writes when it fails. This is the allow-list: only the kind of a line is stored, because
 * the line itself may contain a prompt or a path.
 */
export type EvidenceCode =
  | 'metal_out_of_memory'
  | 'allocation_failed'
  | 'gpu_timeout'
  | 'gpu_hang'
  | 'gpu_preempted'
  | 'gpu_fault'
  | 'gpu_ignored'
  | 'generation_thread_died'
  | 'weights_unreadable'
  | 'model_unsupported'
  | 'port_taken'
  | 'folder_unwritable';

/**
 * How Metal and its users (mlx, ggml) report failures of the GPU and of its memory. The texts come from
 * `MTLCommandBufferError` (`kIOGPU…`, before macOS 12 `kIOAccel…`), mlx's allocator and ggml; real ones with their
 * sources are in `test/fixtures/exit-logs`.
 */
export const GPU_LINES: readonly LinePattern<EvidenceCode>[] = [
  { code: 'metal_out_of_memory', match: /CommandBufferCallbackErrorOutOfMemory|: Insufficient Memory/ },
  { code: 'allocation_failed', match: /\[metal::malloc\]|\[malloc_or_wait\] Unable to allocate/ },
  { code: 'allocation_failed', match: /failed to allocate (Metal )?buffer|std::bad_alloc|\bMemoryError\b/ },
  { code: 'gpu_timeout', match: /CommandBufferCallbackErrorTimeout|Caused GPU Timeout Error/ },
  { code: 'gpu_hang', match: /CommandBufferCallbackErrorHang|\bGPU Hang\b/ },
  { code: 'gpu_preempted', match: /CommandBufferCallbackErrorImpactingInteractivity/ },
  { code: 'gpu_fault', match: /CommandBufferCallbackErrorPageFault|Caused GPU Address Fault/ },
  { code: 'gpu_ignored', match: /CommandBufferCallbackErrorSubmissionsIgnored/ },
];

/** What mlx-lm writes when its generation thread, a model or its port fails. */
export const MLX_LINES: readonly LinePattern<EvidenceCode>[] = [
  ...GPU_LINES,
  { code: 'generation_thread_died', match: /^Exception in thread \S+ \(_generate\)/ },
  { code: 'weights_unreadable', match: /No safetensors found|\[load(_safetensors)?\] (Invalid|Failed)/ },
  { code: 'model_unsupported', match: /Model type \S+ not supported/ },
  { code: 'model_unsupported', match: /(Missing|Received) \d+ parameters/ },
  { code: 'port_taken', match: /Address already in use/ },
];

/** What `ollama serve` writes before it exits. */
export const OLLAMA_LINES: readonly LinePattern<EvidenceCode>[] = [
  { code: 'port_taken', match: /bind: address already in use/ },
  { code: 'folder_unwritable', match: /^Error: (mkdir|could not create|open) / },
];

/** Kinds of the matching lines, in line order; the first matching pattern gives a line its kind. */
export function evidenceIn<Code extends string>(
  lines: readonly string[],
  patterns: readonly LinePattern<Code>[],
): Code[] {
  return lines.flatMap((line) => patterns.find(({ match }) => match.test(line))?.code ?? []);
}
