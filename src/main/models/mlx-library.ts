import type { Warning } from '../../shared/contract';
import type { BackendId, ModelInfo } from '../../shared/domain';
import type { ModelFacts } from '../backends/dialects/openai/validate';
import type { ModelFolder } from '../backends/mlx/mlx-options';
import { type ModelNeeds, UNKNOWN_NEEDS } from '../memory/model-needs';
import { orAbort } from '../ports/bounded';
import { FreshRun } from './fresh-run';
import type { BrokenModel } from './model-folder';
import { findByName } from './model-names';
import type { ModelScan } from './model-scan';
import type { ModelPlace, PlacedBroken, PlacedModel } from './scan-result';

const UNKNOWN_FACTS: ModelFacts = { vocabSize: null, contextLength: null };

export interface MlxLibraryOptions {
  scan: Pick<ModelScan, 'run' | 'result' | 'hung'>;
  /** The backend that loads the models. */
  backend: BackendId;
  /** A scan ended after its caller had stopped waiting. */
  onLate?: () => void;
}

/** The models that MLX can load, by the names that clients use. Their paths never leave this class. */
export class MlxLibrary {
  readonly #options: MlxLibraryOptions;
  readonly #scan: FreshRun;
  /** Folders that are being deleted. */
  readonly #hidden = new Set<string>();

  constructor(options: MlxLibraryOptions) {
    this.#options = options;
    this.#scan = new FreshRun(() => options.scan.run());
  }

  /**
   * Scans again, after the current scan. Broken models are in `broken` and `warnings`. An abort ends the wait: returns
   * the models found so far, or rejects with the signal's reason if there are none.
   */
  async list(signal?: AbortSignal): Promise<ModelInfo[]> {
    const scan = this.#scan.start();
    try {
      await (signal ? orAbort(scan, signal) : scan);
    } catch (error) {
      if (signal?.aborted) void scan.then(this.#options.onLate, () => {});
      if (this.#options.scan.result() === null) throw error;
    }
    const { backend } = this.#options;
    return this.#models().map(({ info }) => ({ ...info, backend }));
  }

  /** Folder of a model; null = unknown. Scans if the last scan did not find the name. */
  async resolve(name: string): Promise<string | null> {
    return (await this.#seek(name))?.path ?? null;
  }

  /** Memory that a model needs. Scans like `resolve`. */
  async needsOf(name: string): Promise<ModelNeeds> {
    return (await this.#seek(name).catch(() => null))?.needs ?? UNKNOWN_NEEDS;
  }

  /** Memory that a model needs, for decisions that cannot wait; null = not known yet. */
  knownNeeds(name: string): ModelNeeds | null {
    return this.#find(name)?.needs ?? null;
  }

  /** Facts from the configuration in a model's folder. */
  factsOf(folder: string): ModelFacts {
    return this.#models().find(({ path }) => path === folder)?.facts ?? UNKNOWN_FACTS;
  }

  /** The model to load at start, by name; falls back to the small model. */
  async preload(name: string | null): Promise<ModelFolder | null> {
    // The start of the app does not wait for a second scan.
    await this.hasAny();
    const found = (name !== null && this.#find(name)) || this.#models().find(({ info }) => info.small);
    return found ? { name: found.info.name, folder: found.path } : null;
  }

  /** Did any scan find a model that MLX can load? */
  async hasAny(): Promise<boolean> {
    if (this.#models().length === 0) await (this.#scan.running ?? this.list()).catch(() => {});
    return this.#models().length > 0;
  }

  /** Where the model listed under exactly this name is, complete or broken; null = the last scan did not find it. */
  placeOf(name: string): ModelPlace | null {
    const whole = this.#models().find(({ info }) => info.name === name);
    return (whole ?? this.broken().find((model) => model.name === name))?.place ?? null;
  }

  /** Hides the model in this folder, so that no request loads it while it is deleted, until the result is called. */
  hide({ path }: ModelPlace): () => void {
    this.#hidden.add(path);
    return () => void this.#hidden.delete(path);
  }

  /** Free bytes on the disk of the Hugging Face cache; null = unknown. */
  diskFreeBytes(): number | null {
    return this.#options.scan.result()?.diskFreeBytes ?? null;
  }

  /** Unusable models of the last scan. */
  broken(): readonly PlacedBroken[] {
    return this.#options.scan.result()?.broken ?? [];
  }

  /** Folders of the last scan in which a new model would appear. */
  visited(): readonly string[] {
    return this.#options.scan.result()?.visited ?? [];
  }

  /** Places that did not respond. */
  hung(): readonly string[] {
    return this.#options.scan.hung();
  }

  warnings(): Warning[] {
    const incomplete = this.broken().map(({ name, reason, file }) => ({
      code: 'model_incomplete',
      message: `${name} cannot be used: ${wordsFor(reason, file)}. Finish the download, or delete the folder unless another program uses it.`,
      details: { name, reason, file },
    }));
    const hung = this.hung().map((path) => ({
      code: 'model_folder_hung',
      message: `${path} does not answer, so models in it may be missing. Check the disk or network volume. Tandem looks again every five minutes.`,
      details: { path },
    }));
    return [...incomplete, ...hung];
  }

  #models(): readonly PlacedModel[] {
    const models = this.#options.scan.result()?.models ?? [];
    return this.#hidden.size === 0 ? models : models.filter(({ path }) => !this.#hidden.has(path));
  }

  #find(name: string): PlacedModel | undefined {
    const models = this.#models();
    const info = findByName(
      models.map((model) => model.info),
      name,
    );
    return models.find((model) => model.info === info);
  }

  async #seek(name: string): Promise<PlacedModel | undefined> {
    return this.#find(name) ?? (await this.list().then(() => this.#find(name)));
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
