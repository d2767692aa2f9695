import { join } from 'node:path';
import type { Logger } from '../ports/logger';
import type { ReportFolder } from '../ports/report-folder';

/** Where macOS keeps the reports of kernel panics; written after the restart, readable by administrators. */
export const PANIC_FOLDER = '/Library/Logs/DiagnosticReports';
const MOST_REPORTS = 20;
const MOST_BYTES = 1_000_000;

/**
 * Panics of the GPU's memory management that MLX is known to trigger: in `IOGPUMemory.cpp` when memory is unwired more
 * often than it was wired, and in `IOGPUGroupMemory.cpp` when a buffer is released twice.
 */
const GPU_PANICS = [
  'completeMemory() prepare count underflow',
  'remove_memory_object() memory object not found',
] as const;

/** The process that ran in the kernel, as in "Panicked task 0x…: 1234 pages, 5 threads: pid 49042: python3.13". */
const TASK = /Panicked task [^\\\n]{0,120}?pid \d+: ([\w .+-]{1,40})/;

export interface GpuPanic {
  /** Wall time of the report, ms. */
  at: number;
  panic: (typeof GPU_PANICS)[number];
  /** Name of the process that ran at that moment; null = not reported. */
  program: string | null;
}

/**
 * The latest of these panics since a wall time in ms; null = none. Reads at most 20 files; skips one that cannot be
 * read. Rejects if the folder cannot be read.
 */
export async function latestGpuPanic(
  files: ReportFolder,
  since: number,
  logger: Logger,
): Promise<GpuPanic | null> {
  const reports = (await files.list(PANIC_FOLDER, '.panic'))
    .filter(({ changedAt }) => changedAt > since)
    .sort((one, other) => other.changedAt - one.changedAt);
  for (const { name, changedAt } of reports.slice(0, MOST_REPORTS)) {
    const text = await files.read(join(PANIC_FOLDER, name), MOST_BYTES).catch((error: unknown) => {
      logger.warn('panics.report-not-read', { name, error });
      return '';
    });
    const panic = GPU_PANICS.find((words) => text.includes(words));
    if (panic) return { at: changedAt, panic, program: TASK.exec(text)?.[1]?.trim() ?? null };
  }
  return null;
}
