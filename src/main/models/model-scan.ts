import type { Clock } from '../ports/clock';
import type { Logger } from '../ports/logger';
import type { ChildRequest } from './scan-child';
import type { ScanLine, ScanRequest } from './scan-lines';
import { runScanProcess, type ScanProcess } from './scan-process';
import { ScannedPlaces, type ScanResult } from './scan-result';

/** After this long without a line, the current place counts as hung, ms. */
const SILENCE_MS = 10_000;
/** A place that hung is skipped for this long, ms. */
const RETRY_MS = 300_000;

export interface ModelScanOptions {
  process: ScanProcess;
  /** Where to look; asked before each scan. */
  places: () => Omit<ScanRequest, 'skip' | 'known'>;
  logger: Logger;
}

interface Hung {
  /** Ms of the clock. */
  since: number;
  /** Has its process ended? One that cannot be killed shows that the volume is still gone. */
  ended: boolean;
}

/**
 * Scans the folders of models in a process of its own, so that one that hangs (a network volume that has gone) holds up
 * nothing here. A place that does not answer is left out for five minutes, with what was known of it.
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

  /** Looks at every place. Rejects when the process fails or after `stop`; what is found by then stays. */
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

  /** Places that did not answer when they were last looked at. */
  hung(): string[] {
    return [...this.#hung.keys()];
  }

  /** Ends a scan that goes on, without waiting for its process. */
  stop(): void {
    this.#stopped.abort(new Error('Models are not looked for any more.'));
  }

  /** Returns the place at which the process hung; null when it has been everywhere. */
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
