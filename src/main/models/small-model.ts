import type { Logger } from '../ports/logger';
import type { SmallModelInstaller } from './small-model-installer';

export interface SmallModelOptions {
  /** Removes the files that the set-up downloaded or made from the download. */
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

/** Follows the setting `smallModel`: downloads the small model when wanted, removes it when not. */
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

  /** Permanently removes it from the servers and from disk. Rejects like a change of a setting. */
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
