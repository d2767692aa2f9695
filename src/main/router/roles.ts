import type { BackendId, Category, Reason } from '../../shared/domain';
import type { ErrorCode } from '../../shared/errors';
import type { Settings } from '../../shared/settings';

type ModelSetting = Extract<keyof Settings, `mlxModel${string}` | `ollamaModel${string}`>;

/** The strategy (product, section 2) for a backend; a new backend needs only a row here. */
export interface BackendRole {
  title: string;
  /** `light` keeps the system alive and is best effort; `heavy` solves tasks. */
  work: 'light' | 'heavy';
  /** Models with at least this many billions of parameters are never chosen by a category. */
  neverFromBillions: number;
  /** The setting that names its model for a category. */
  modelSetting(category: Category, settings: Settings): ModelSetting;
  /** Why the other one is not used, when only this one is wanted. */
  alone: Reason;
  downCode: ErrorCode;
}

export const ROLES: Readonly<Record<BackendId, BackendRole>> = {
  mlx: {
    title: 'MLX',
    work: 'light',
    neverFromBillions: 64,
    modelSetting: (category, settings) =>
      settings.mlxOnlyLight ? 'mlxModelFast' : LIGHT_BACKEND_SETTINGS[category],
    alone: 'setting:mlx-only',
    downCode: 'mlx_down',
  },
  ollama: {
    title: 'Ollama',
    work: 'heavy',
    neverFromBillions: Number.POSITIVE_INFINITY,
    modelSetting: (category) => HEAVY_BACKEND_SETTINGS[category],
    alone: 'setting:ollama-only',
    downCode: 'ollama_down',
  },
};

const LIGHT_BACKEND_SETTINGS: Readonly<Record<Category, ModelSetting>> = {
  greeting: 'mlxModelFast',
  fast: 'mlxModelFast',
  data_question: 'mlxModelDefault',
  coding: 'mlxModelCoding',
  reasoning: 'mlxModelReasoning',
  general: 'mlxModelDefault',
};

const HEAVY_BACKEND_SETTINGS: Readonly<Record<Category, ModelSetting>> = {
  greeting: 'ollamaModelFast',
  fast: 'ollamaModelFast',
  data_question: 'ollamaModelGeneral',
  coding: 'ollamaModelCoding',
  reasoning: 'ollamaModelReasoning',
  general: 'ollamaModelGeneral',
};

/** Work that is never given to light models. */
export function needsHeavy(category: Category): boolean {
  return category === 'coding' || category === 'reasoning';
}

export function isLightWork(category: Category): boolean {
  return category === 'greeting' || category === 'fast';
}
