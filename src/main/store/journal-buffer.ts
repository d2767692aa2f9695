import type { JournalRow } from '../../shared/journal';
import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';

const BATCH_ROWS = 100;
const BATCH_MS = 1000;
/** Limit of rows that wait for a slow database; the rows above it are dropped and counted in the log. */
const MAX_WAITING = 10_000;

/** Collects journal rows and writes them in batches: after 1 s or 100 rows, whichever is first. */
export class JournalBuffer {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Resolves with the number of refused rows. */
  readonly #write: (rows: JournalRow[]) => Promise<number>;
  #rows: JournalRow[] = [];
  /** Number of rows that are being written. */
  #writing = 0;
  #dropped = 0;
  #cancelTimer: (() => void) | null = null;

  constructor(clock: Clock, logger: Logger, write: (rows: JournalRow[]) => Promise<number>) {
    this.#clock = clock;
    this.#logger = logger;
    this.#write = write;
  }

  add(row: JournalRow): void {
    if (this.#writing + this.#rows.length >= MAX_WAITING) {
      this.#dropped += 1;
      return;
    }
    this.#rows.push(row);
    if (this.#rows.length >= BATCH_ROWS) void this.flush();
    else this.#cancelTimer ??= this.#clock.after(BATCH_MS, () => void this.flush());
  }

  /** Resolves when the rows added before are written. Never rejects: failed rows are counted in the log. */
  async flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const rows = this.#rows;
    if (rows.length === 0) return;
    this.#rows = [];
    this.#writing += rows.length;
    try {
      const refused = await this.#write(rows);
      if (refused > 0) this.#logger.warn('journal_rows_refused', { rows: refused });
    } catch (error) {
      this.#logger.warn('journal_write_failed', { rows: rows.length, error });
    } finally {
      this.#writing -= rows.length;
      this.#tellDropped();
    }
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    this.#logger.warn('journal_rows_dropped', { rows: this.#dropped });
    this.#dropped = 0;
  }
}
