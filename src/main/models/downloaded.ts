import { z } from 'zod';
import type { BackendId, ModelInfo } from '../../shared/domain';
import type { FileStore } from '../ports/file-store';
import type { Logger } from '../ports/logger';
import { isExactName } from './model-names';

const fileSchema = z.array(z.object({ backend: z.string(), name: z.string() }));

type ModelKey = Pick<ModelInfo, 'backend' | 'name'>;

/**
 * The models that Tandem itself has downloaded, which may be deleted without further questions. Kept in
 * `downloaded-models.json`: an array of `{backend, name}`. A file that cannot be read counts as empty, so that those
 * models are deleted only after a question.
 */
export class DownloadedModels {
  readonly #options: { files: FileStore; path: string; logger: Logger };
  #models: readonly ModelKey[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(options: { files: FileStore; path: string; logger: Logger }) {
    this.#options = options;
  }

  /** Reads the file; call once at start. Never rejects. */
  async load(): Promise<void> {
    const { files, path, logger } = this.#options;
    try {
      this.#models = fileSchema.parse(JSON.parse((await files.readText(path)) ?? '[]'));
    } catch (error) {
      logger.warn('downloaded-models-not-read', { error });
    }
  }

  has(backend: BackendId, name: string): boolean {
    return this.#models.some((model) => model.backend === backend && isExactName(model.name, name));
  }

  /** Resolves when it is on disk. A failed write is logged: the model is then deleted only after a question. */
  add(backend: BackendId, name: string): Promise<void> {
    if (this.has(backend, name)) return this.#writing;
    return this.#write([...this.#models, { backend, name }]);
  }

  /** Resolves like `add`. */
  remove(backend: BackendId, name: string): Promise<void> {
    if (!this.has(backend, name)) return this.#writing;
    return this.#write(
      this.#models.filter((model) => model.backend !== backend || !isExactName(model.name, name)),
    );
  }

  #write(models: readonly ModelKey[]): Promise<void> {
    const { files, path, logger } = this.#options;
    this.#models = models;
    this.#writing = this.#writing
      .then(() => files.replace(path, `${JSON.stringify(models)}\n`))
      .catch((error) => logger.warn('downloaded-models-not-written', { error }));
    return this.#writing;
  }
}
