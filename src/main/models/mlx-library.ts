import type { Warning } from '../../shared/contract';
import type { ModelInfo } from '../../shared/domain';
import type { ModelFolder } from '../backends/mlx/mlx-options';
import { orAbort } from '../ports/bounded';
import { findByName } from '../router/model-names';
import { FreshRun } from './fresh-run';
import { type ScanResult, scanMlxModels } from './mlx-scanner';
import type { BrokenModel, FoundModel } from './model-folder';
import type { ScanRoots } from './scan-roots';

/** Before the first scan. */
const NOTHING: ScanResult = { models: [], broken: [], visited: [] };

/** The model folders that MLX can load, by the names that clients use. Paths stay in here. */
export class MlxLibrary {
  readonly #roots: () => Promise<ScanRoots>;
  #last: ScanResult = NOTHING;
  readonly #scan = new FreshRun(async () => {
    this.#last = await scanMlxModels(await this.#roots());
  });

  constructor(roots: () => Promise<ScanRoots>) {
    this.#roots = roots;
  }

  /**
   * Scans again, after the scan that is under way. What is broken shows in `broken` and `warnings`. Aborting ends the wait,
   * with what the last scan has found if there was one, else with the signal's reason.
   */
  async list(signal?: AbortSignal): Promise<ModelInfo[]> {
    const scan = this.#scan.start();
    await (signal ? orAbort(scan, signal) : scan).catch((error) => {
      if (this.#last === NOTHING) throw error;
    });
    return this.#last.models.map(({ info }) => info);
  }

  /** Folder of a model; null = unknown. Scans when the name was not there at the last scan. */
  async resolve(name: string): Promise<string | null> {
    return this.#find(name)?.path ?? (await this.list().then(() => this.#find(name)?.path ?? null));
  }

  /** The model to hold ready at start, by name; falls back to the small model. */
  async preload(name: string | null): Promise<ModelFolder | null> {
    // A start of the app does not wait for a second scan.
    await this.hasAny();
    const found = (name !== null && this.#find(name)) || this.#last.models.find(({ info }) => info.small);
    return found ? { name: found.info.name, folder: found.path } : null;
  }

  /** Is there anything that MLX could load? */
  async hasAny(): Promise<boolean> {
    if (this.#last.models.length === 0) await (this.#scan.running ?? this.list());
    return this.#last.models.length > 0;
  }

  /** What the last scan found unusable. */
  broken(): readonly BrokenModel[] {
    return this.#last.broken;
  }

  /** Folders of the last scan in which something new would show. */
  visited(): readonly string[] {
    return this.#last.visited;
  }

  warnings(): Warning[] {
    return this.#last.broken.map(({ name, reason, file }) => ({
      code: 'model_incomplete',
      message: `${name} cannot be used: ${wordsFor(reason, file)}. Finish the download, or delete the folder.`,
      details: { name, reason, file },
    }));
  }

  #find(name: string): FoundModel | undefined {
    const info = findByName(
      this.#last.models.map((model) => model.info),
      name,
    );
    return this.#last.models.find((model) => model.info === info);
  }
}

function wordsFor(reason: BrokenModel['reason'], file: string): string {
  switch (reason) {
    case 'weights_missing':
      return `its weights are missing (${file})`;
    case 'download_unfinished':
      return `its download is not finished (${file})`;
    case 'config_unreadable':
      return `its ${file} cannot be read`;
  }
}
