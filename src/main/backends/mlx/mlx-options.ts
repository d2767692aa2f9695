import type { BackendInstance, ModelInfo } from '../../../shared/domain';
import type { ExitCause } from '../../../shared/incidents';
import type { LimitsSource } from '../../supervisor/limits';
import type { ModelFacts } from '../dialects/openai/validate';
import type { Locate } from '../locate';
import type { StepTimes } from '../step-times';
import type { HangLimits } from './hang-limits';
import type { LadderKeeperOptions } from './ladder-keeper';
import type { MlxMemoryLimits } from './launch-spec';
import type { MlxClientOptions } from './mlx-client';

/** A model on disk under the name that clients use. */
export interface ModelFolder {
  name: string;
  folder: string;
}

export interface MlxBackendOptions extends MlxClientOptions {
  instance: BackendInstance;
  /** Finds a Python with mlx-lm. Called before each launch, at `relocate`, and at manual restarts while absent. */
  locate: Locate;
  /** Path of `resources/mlx/launch.py`. */
  launchScript: string;
  /** The model wanted at start; null = none. Called before each start. */
  preload(): Promise<ModelFolder | null>;
  /** Is there memory to load this model (the wanted one or its replacement) before a request needs it? */
  mayPreload?(name: string): Promise<boolean>;
  /** Folder of a model by the name that clients use; null = unknown. */
  resolveModel(name: string): Promise<string | null>;
  /** Facts from the configuration in a model's folder. */
  modelFacts(folder: string): ModelFacts;
  listModels(signal?: AbortSignal): Promise<ModelInfo[]>;
  /** Concurrent requests; read before each start. */
  maxConcurrent(): number;
  /** Limits of memory for the next start; null = memory cannot be read. */
  memoryLimits?(): Promise<MlxMemoryLimits | null>;
  /** Called when a model has been loaded, with the seconds it took. */
  onLoaded?(name: string, seconds: number): void;
  /** Resolves when memory allows a start; `cause` is what ended the last run, `model` what the next one loads. */
  mayStart?(signal: AbortSignal, cause: ExitCause | null, model: string | null): Promise<void>;
  /** Reduced limits after it ran out of memory. */
  ladder?: Pick<LadderKeeperOptions, 'file' | 'smallerModel' | 'onRung'>;
  env: Readonly<Record<string, string | undefined>>;
  limits?: LimitsSource;
  hang?: Partial<HangLimits>;
  /** Stores the slowest step of each model; without it they are kept for the life of the backend. */
  steps?: StepTimes;
  /** Is this a model whose steps may take many seconds? */
  isHeavy?(name: string): boolean;
}
