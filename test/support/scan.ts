import { scan } from '../../src/main/models/mlx-scanner';
import type { ModelScan } from '../../src/main/models/model-scan';
import type { ScanRequest } from '../../src/main/models/scan-lines';
import { ScannedPlaces, type ScanResult } from '../../src/main/models/scan-result';

type Places = Omit<ScanRequest, 'skip' | 'known'>;

/** Model folders of a machine with this home folder. */
export function placesIn(home: string, changes: Partial<Places> = {}): Places {
  return { home, env: {}, loadable: true, small: null, folders: [], direct: [], ...changes };
}

/** Runs the model scan in this process. */
export class ScanHere implements Pick<ModelScan, 'run' | 'result' | 'hung'> {
  readonly #places: () => Promise<Places>;
  readonly #found = new ScannedPlaces();
  scans = 0;
  /** Number of models that the last scan had to read. */
  read = 0;

  constructor(places: () => Promise<Places>) {
    this.#places = places;
  }

  async run(): Promise<void> {
    this.scans += 1;
    const places = await this.#places();
    this.read = 0;
    for (const line of scan({ ...places, skip: [], known: this.#found.begin() })) {
      if (line.type === 'entry' && line.entry.read) this.read += 1;
      this.#found.add(line);
    }
  }

  result(): ScanResult | null {
    return this.#found.result();
  }

  hung(): string[] {
    return [];
  }
}

/** The result of one scan. */
export async function scanned(places: Places): Promise<ScanResult> {
  const here = new ScanHere(async () => places);
  await here.run();
  return here.result() ?? { models: [], broken: [], visited: [], diskFreeBytes: null };
}
