import { z } from 'zod';
import type { Warning } from '../../shared/contract';
import type { Clock } from '../ports/clock';
import type { FileStore } from '../ports/file-store';
import type { Logger } from '../ports/logger';
import type { ReportFolder } from '../ports/report-folder';
import { type GpuPanic, latestGpuPanic } from './panic-reports';

/** macOS may write the report some time after the login at which Tandem starts. */
const AGAIN_MS = 120_000;

const lookSchema = z.object({ version: z.literal(1), at: z.number() });

/** What was done about a panic: names of the settings that were reset, and of variables that Tandem cannot change. */
export interface Retreat {
  changed: readonly string[];
  held: readonly string[];
}

export interface PanicWatchOptions {
  reports: ReportFolder;
  files: Pick<FileStore, 'readText' | 'replace'>;
  /** Stores when the reports were last looked at. */
  path: string;
  clock: Clock;
  logger: Logger;
  /** Resets the settings that are known to lead to these panics. */
  retreat(): Promise<Retreat>;
  onPanic(panic: GpuPanic, warning: Warning): void;
}

/** After a restart of the Mac: was it a panic that MLX is known to trigger? Looks at the start, and once more later. */
export class PanicWatch {
  readonly #options: PanicWatchOptions;
  #cancelAgain = () => {};

  constructor(options: PanicWatchOptions) {
    this.#options = options;
  }

  /** Resolves after the first look, when MLX may start with the settings as they then are. Never rejects. */
  async start(): Promise<void> {
    await this.#look();
    this.#cancelAgain = this.#options.clock.after(AGAIN_MS, () => void this.#look());
  }

  stop(): void {
    this.#cancelAgain();
  }

  async #look(): Promise<void> {
    const { reports, files, path, clock, logger, retreat, onPanic } = this.#options;
    try {
      const now = clock.wall().getTime();
      const since = await this.#lastLook();
      // Without an earlier look, a panic has nothing to do with Tandem.
      const panic = since === null ? null : await latestGpuPanic(reports, since, logger);
      if (panic) onPanic(panic, warningOf(panic, await retreat()));
      // Last, so that a look that failed is done again.
      await files.replace(path, `${JSON.stringify({ version: 1, at: now })}\n`);
    } catch (error) {
      logger.warn('panics.not-read', { error });
    }
  }

  /** Null = never, or the file cannot be read. */
  async #lastLook(): Promise<number | null> {
    const { files, path } = this.#options;
    const text = await files.readText(path);
    try {
      return text === null ? null : lookSchema.parse(JSON.parse(text)).at;
    } catch {
      return null;
    }
  }
}

/** What happened, what Tandem changed, and what to do, in English; the UI has the same in its languages. */
function warningOf({ panic, program }: GpuPanic, { changed, held }: Retreat): Warning {
  const what = `The Mac restarted because macOS failed in the GPU's memory management ("${panic}", in ${program ?? 'an unknown program'}).`;
  const known = 'Wired memory and several requests at once are known to trigger this.';
  const reset = changed.length > 0 ? [`Tandem has reset ${changed.join(', ')}.`] : [];
  const unset = held.length > 0 ? [`Unset ${held.join(', ')} and start Tandem again.`] : [];
  const done =
    reset.length + unset.length > 0
      ? [known, ...reset, ...unset].join(' ')
      : 'MLX wired no memory and took one request at a time, so Tandem has changed nothing. Close other programs that use MLX; if it happens again, let Ollama answer alone.';
  return {
    code: 'kernel_panic',
    message: `${what} ${done} Install macOS updates.`,
    details: {
      panic,
      program: program ?? '?',
      ...(changed.length > 0 ? { changed: changed.join(', ') } : {}),
      ...(held.length > 0 ? { held: held.join(', ') } : {}),
    },
  };
}
