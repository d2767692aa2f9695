import type { Absent } from '../locate';
import type { LadderKeeper } from './ladder-keeper';
import { mlxLaunchSpec } from './launch-spec';
import type { MlxBackendOptions, ModelFolder } from './mlx-options';
import type { Launch } from './mlx-process';

/** Our MLX server's program: finds it, and builds the command of each start. */
export class MlxProgram {
  readonly #options: MlxBackendOptions;
  readonly #ladder: LadderKeeper;
  #absence: Absent | null = null;
  #withoutModel = false;

  constructor(options: MlxBackendOptions, ladder: LadderKeeper) {
    this.#options = options;
    this.#ladder = ladder;
  }

  /** Why the program is missing; null = it was found at the last search. */
  get absence(): Absent | null {
    return this.#absence;
  }

  /** Path of Python; null = missing, and `absence` says why. */
  async locate(): Promise<string | null> {
    const found = await this.#options.locate();
    this.#absence = 'absent' in found ? found.absent : null;
    return 'path' in found ? found.path : null;
  }

  /** The next start loads no model. */
  skipPreload(): void {
    this.#withoutModel = true;
  }

  /** The next start; null if the program is missing. */
  async launch(): Promise<Launch | null> {
    // Located again before each start: the set-up may have installed a new runtime next to the old one.
    const python = await this.locate();
    if (python === null) return null;
    const survivable = await this.#survivable(await this.#options.preload());
    const mayLoad = survivable !== null && !this.#withoutModel && (await this.#admitted(survivable.name));
    const preload = mayLoad ? survivable : null;
    this.#withoutModel = false;
    const spec = mlxLaunchSpec({
      python,
      script: this.#options.launchScript,
      env: this.#options.env,
      preload: preload?.folder ?? null,
      maxConcurrent: this.#options.maxConcurrent(),
      limits: this.#ladder.limits(),
      memory: (await this.#options.memoryLimits?.()) ?? null,
    });
    return { spec, preload };
  }

  /** The model to load at the start: the wanted one, or a smaller replacement. */
  async #survivable(wanted: ModelFolder | null): Promise<ModelFolder | null> {
    const name = this.#ladder.begin(wanted?.name ?? null);
    if (name === null || name === wanted?.name) return name === null ? null : wanted;
    const folder = await this.#options.resolveModel(name);
    return folder === null ? null : { name, folder };
  }

  async #admitted(name: string): Promise<boolean> {
    return (await this.#options.mayPreload?.(name)) ?? true;
  }
}
