import type { Warning } from '../../shared/contract';
import type { ModelInfo } from '../../shared/domain';
import type { ModelFolder } from '../backends/mlx/mlx-options';
import { findByName } from '../router/model-names';
import { type ScanResult, type ScanRoots, scanMlxModels } from './mlx-scanner';

const WORDS = {
  weights_missing: 'its weights are missing',
  download_unfinished: 'its download is not finished',
  config_unreadable: 'its config.json cannot be read',
} as const;

/** The model folders that MLX can load, by the names that clients use. Paths stay in here. */
export class MlxLibrary {
  readonly #roots: () => ScanRoots;
  #last: ScanResult = { models: [], broken: [] };

  constructor(roots: () => ScanRoots) {
    this.#roots = roots;
  }

  /** Scans again; what is broken shows in `warnings`. */
  async list(): Promise<ModelInfo[]> {
    this.#last = await scanMlxModels(this.#roots());
    return this.#last.models.map(({ info }) => info);
  }

  /** Folder of a model; null = unknown. Scans when the name was not there at the last scan. */
  async resolve(name: string): Promise<string | null> {
    return this.#find(name)?.path ?? (await this.list().then(() => this.#find(name)?.path ?? null));
  }

  /** The model to hold ready at start, by name; falls back to the starter. */
  async preload(name: string | null): Promise<ModelFolder | null> {
    if (this.#last.models.length === 0) await this.list();
    const found = (name !== null && this.#find(name)) || this.#last.models.find(({ info }) => info.starter);
    return found ? { name: found.info.name, folder: found.path } : null;
  }

  warnings(): Warning[] {
    return this.#last.broken.map(({ name, reason }) => ({
      code: 'model_incomplete',
      message: `${name} cannot be used: ${WORDS[reason]}. Finish the download, or delete the folder.`,
    }));
  }

  #find(name: string) {
    const info = findByName(
      this.#last.models.map((model) => model.info),
      name,
    );
    return this.#last.models.find((model) => model.info === info);
  }
}
