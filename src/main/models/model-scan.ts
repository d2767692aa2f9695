import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';
import type { ChildRequest } from './scan-child';
import type { ScanLine, ScanRequest } from './scan-lines';
import { runScanProcess, type ScanProcess } from './scan-process';
import { ScannedPlaces, type ScanResult } from './scan-result';

/** After this long without a line, the current place counts as hung, ms. */
const SILENCE_MS = 10_000;
/** A hung place is skipped for this long, ms. */
const RETRY_MS = 300_000;

export interface ModelScanOptions {
  process: ScanProcess;
  /** Where to scan; called before each scan. */
  places: () => Omit<ScanRequest, 'skip' | 'known'>;
  logger: Logger;
}

interface Hung {
  /** Ms of the clock. */
  since: number;
  /** Has its process exited? One that cannot be killed shows that the volume still does not respond. */
  ended: boolean;
}

/**
 * Scans the model folders in a separate process, so that a hung folder (an unreachable network volume) does not block
 * this one. A place that does not respond is skipped for five minutes and keeps its last results.
 */
export class ModelScan {
  readonly #options: ModelScanOptions;
  readonly #clock: Clock;
  readonly #places = new ScannedPlaces();
  readonly #hung = new Map<string, Hung>();
  readonly #stopped = new AbortController();

  constructor(options: ModelScanOptions) {
    this.#options = options;
    this.#clock = options.process.clock;
  }

  /** Scans every place. Rejects if the process fails or after `stop`; results found by then stay. */
  async run(): Promise<void> {
    let hung: string | null;
    do {
      const skip = this.#toSkip();
      hung = await this.#once(skip);
    } while (hung !== null);
  }

  /** The models found so far; null before the first place is done. */
  result(): ScanResult | null {
    return this.#places.result();
  }

  /** Places that did not respond at the last scan. */
  hung(): string[] {
    return [...this.#hung.keys()];
  }

  /** Ends the current scan without waiting for its process to exit. */
  stop(): void {
    this.#stopped.abort(new Error('Models are not looked for any more.'));
  }

  /** Returns the place at which the process hung; null if it scanned all places. */
  async #once(skip: string[]): Promise<string | null> {
    const request: ChildRequest = {
      scan: { ...this.#options.places(), skip, known: this.#places.begin() },
    };
    let isWhole = false;
    const onLine = (line: unknown) => {
      const scanned = line as ScanLine;
      this.#places.add(scanned);
      isWhole = scanned.type === 'end';
    };
    const { silent, ended } = await runScanProcess(this.#options.process, request, onLine, {
      silenceMs: SILENCE_MS,
      signal: this.#stopped.signal,
    });
    const place = this.#places.current();
    if (silent && place !== null) return this.#setHung(place, ended);
    if (!isWhole) throw new Error('The scan for models did not come to its end.');
    for (const path of this.#hung.keys()) if (!skip.includes(path)) this.#hung.delete(path);
    return null;
  }

  #setHung(path: string, ended: Promise<unknown>): string {
    const hung: Hung = { since: this.#clock.now(), ended: false };
    this.#hung.set(path, hung);
    void ended.then(() => {
      hung.ended = true;
    });
    this.#options.logger.warn('model-folder-hung', { path });
    return path;
  }

  #toSkip(): string[] {
    const isOut = ({ since, ended }: Hung) => !ended || this.#clock.now() - since < RETRY_MS;
    return [...this.#hung].filter(([, hung]) => isOut(hung)).map(([path]) => path);
  }
}
