import type { BackendInstance } from '../../../shared/domain';

/** The servers that can get a model by its name. */
export function gettersOf(instances: readonly BackendInstance[]): BackendInstance[] {
  return instances.filter(({ role }) => role !== 'cloud');
}

/** The name in what was typed or pasted: without the command or the scheme before it. */
export function nameIn(text: string): string {
  return text
    .trim()
    .replace(/^ollama\s+(?:run|pull)\s+/i, '')
    .replace(/^https?:\/\//i, '')
    .replace(/\/+$/, '');
}

/** A name as a server of this role takes it: the light one takes a bare repository. */
export function nameFor(text: string, { role }: Pick<BackendInstance, 'role'>): string {
  const name = nameIn(text).replace(/^huggingface\.co\//i, 'hf.co/');
  return role === 'light' ? name.replace(/^hf\.co\//i, '') : name;
}

/** The server that a name is probably meant for: a repository named after MLX is for the light one. */
export function guessedFor(text: string, instances: readonly BackendInstance[]): BackendInstance | undefined {
  const name = nameFor(text, { role: 'light' });
  const isForLight = /^[^/:]+\/[^/:]+$/.test(name) && /mlx/i.test(name);
  const role = isForLight ? 'light' : 'heavy';
  const getters = gettersOf(instances);
  return getters.find((instance) => instance.role === role) ?? getters[0];
}
