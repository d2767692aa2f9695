import type { BackendId, Category } from './domain';
import type { Settings } from './settings';

/** The setting of the model for each category; absent = the user cannot choose one. */
export type ModelChoices = Partial<Record<Category, ModelSetting>>;
export type ModelSetting =
  | `${'mlx' | 'ollama'}Model${'Fast' | 'Coding' | 'Reasoning'}`
  | 'mlxModelDefault'
  | 'ollamaModelGeneral';

/** The settings in which the user chooses the models of a backend; a backend of `moreBackends` has none. */
export function modelChoices(backend: BackendId, values: Pick<Settings, 'mlxOnlyLight'>): ModelChoices {
  if (backend === 'mlx') return choicesInMlx(values);
  return backend === 'ollama' ? choicesInOllama() : {};
}

/** Under `mlxOnlyLight` MLX does light work only. */
function choicesInMlx({ mlxOnlyLight }: Pick<Settings, 'mlxOnlyLight'>): ModelChoices {
  const light: ModelChoices = { greeting: 'mlxModelFast', fast: 'mlxModelFast' };
  if (mlxOnlyLight) return light;
  const tasks = { data_question: 'mlxModelDefault', general: 'mlxModelDefault' } as const;
  return { ...light, ...tasks, coding: 'mlxModelCoding', reasoning: 'mlxModelReasoning' };
}

function choicesInOllama(): ModelChoices {
  const light = { greeting: 'ollamaModelFast', fast: 'ollamaModelFast' } as const;
  const tasks = { data_question: 'ollamaModelGeneral', general: 'ollamaModelGeneral' } as const;
  return { ...light, ...tasks, coding: 'ollamaModelCoding', reasoning: 'ollamaModelReasoning' };
}
