import type { ModelInfo } from '../../../shared/domain';
import type { ExitCause } from '../../../shared/incidents';
import type { Fetcher, Poster } from '../../ports/fetcher';
import type { LimitsSource } from '../../supervisor/limits';
import type { Locate } from '../locate';
import type { HangLimits } from './hang-limits';
import type { LadderKeeperOptions } from './ladder-keeper';
import type { StepMemory } from './learned-steps';
import type { ModelFacts } from './validate';

/** A model on disk under the name that clients use. */
export interface ModelFolder {
  name: string;
  folder: string;
}

export interface MlxBackendOptions {
  /** Where a Python with mlx-lm is. Asked at start, at `relocate` and at each manual restart while absent. */
  locate: Locate;
  /** Path of `resources/mlx/launch.py`. */
  launchScript: string;
  /** The model that is wanted at start; null = none. Asked before each start. */
  preload(): Promise<ModelFolder | null>;
  /** Is there memory to load this one, the wanted or what stands in for it, before anybody asks for it? */
  mayPreload?(name: string): Promise<boolean>;
  /** Folder of a model by the name that clients use; null = unknown. */
  resolveModel(name: string): Promise<string | null>;
  /** What the configuration in a model's folder says. */
  modelFacts(folder: string): ModelFacts;
  listModels(signal?: AbortSignal): Promise<ModelInfo[]>;
  /** Requests at once; read before each start. */
  maxConcurrent(): number;
  /** A model has been loaded in so many seconds. */
  onLoaded?(name: string, seconds: number): void;
  /** Resolves when memory allows a start; `cause` is what ended the last run, `model` what the next one will load. */
  mayStart?(signal: AbortSignal, cause: ExitCause | null, model: string | null): Promise<void>;
  /** How it comes back smaller after it ran out of memory. */
  ladder?: Pick<LadderKeeperOptions, 'file' | 'smallerModel' | 'onRung'>;
  env: Readonly<Record<string, string | undefined>>;
  fetcher: Fetcher;
  post: Poster;
  instanceId: string;
  limits?: LimitsSource;
  hang?: Partial<HangLimits>;
  /** Where the slowest step of each model is remembered; without it for the life of the backend. */
  steps?: StepMemory;
  /** Is this a model whose steps may take many seconds? */
  isHeavy?(name: string): boolean;
}
