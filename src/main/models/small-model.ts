import type { Logger } from '../ports/logger';
import type { SmallModelInstaller } from './small-model-installer';

export interface SmallModelOptions {
  /** Removes what the set-up has made of it, or downloaded. */
  removeFiles: () => Promise<void>;
  wanted: () => boolean;
  setWanted: (wanted: boolean) => Promise<void>;
  setup: {
    run(parts: readonly 'model'[]): Promise<void>;
    cancel(part: 'model'): Promise<void>;
    forget(part: 'model'): void;
  };
  installer: Pick<SmallModelInstaller, 'ensure'>;
  /** Runs `work` while MLX has the small model neither loaded nor loading, then lists the models again. */
  whileMlxIsWithout: (work: () => Promise<void>) => Promise<void>;
  logger: Logger;
}

/** The small model as a whole follows the setting `smallModel`: fetched when it is wanted, removed when it is not. */
export class SmallModel {
  readonly #options: SmallModelOptions;
  #wanted: boolean;
  #removal: Promise<void> = Promise.resolve();

  constructor(options: SmallModelOptions) {
    this.#options = options;
    this.#wanted = options.wanted();
  }

  /** Call when the settings have changed. */
  follow(): void {
    const { wanted, setup, logger } = this.#options;
    const before = this.#wanted;
    this.#wanted = wanted();
    if (this.#wanted && !before) void this.#removal.then(() => setup.run(['model']));
    if (before && !this.#wanted)
      this.#removal = this.#discard().catch((error) =>
        logger.warn('small-model-not-removed', { error: String(error) }),
      );
  }

  /** Removes it for good, from the servers and from disk. Rejects as a change of a setting does. */
  async remove(): Promise<void> {
    await this.#options.setWanted(false);
    this.follow();
    await this.#removal;
  }

  async #discard(): Promise<void> {
    const { removeFiles, setup, installer, whileMlxIsWithout } = this.#options;
    await setup.cancel('model');
    setup.forget('model');
    await installer.ensure();
    await whileMlxIsWithout(removeFiles);
  }
}
