import { isAbsolute, join, normalize } from 'node:path';
import type { ModelOwner } from '../../shared/models';
import { readJson, readText } from './regular-file';
import type { ScanRequest } from './scan-lines';

/** A unit of the scan: one that hangs does not block the others. */
export interface ScanPlace {
  path: string;
  /**
   * `small`, `model`: a model folder; `folder`: model folders, one or two levels deep; `hub`: a Hugging Face cache;
   * `studio`: LM Studio's home; `pointer`: a file that names that home; `ollama`: Ollama's manifests.
   */
  kind: 'small' | 'model' | 'folder' | 'hub' | 'studio' | 'pointer' | 'ollama';
  /** Who put the models there. */
  owner: ModelOwner;
}

const MAX_POINTER_BYTES = 4096;
const MAX_SETTINGS_BYTES = 1024 * 1024;

/** The places on this machine, the most important first. Accesses no files. */
export function scanPlaces({ home, env, loadable, small, folders, direct }: ScanRequest): ScanPlace[] {
  const of = (kind: ScanPlace['kind'], owner: ModelOwner, ...paths: string[]) =>
    paths.map((path) => ({ kind, path, owner }));
  const manifests = of(
    'ollama',
    'ollama',
    join(env.OLLAMA_MODELS || join(home, '.ollama', 'models'), 'manifests'),
  );
  if (!loadable) return manifests;
  const added = folders.map((folder) => inHome(folder.trim(), home)).filter(isAbsolute);
  return [
    ...(small === null ? [] : of('small', 'tandem', small)),
    ...of('model', 'folder', ...direct.filter(isAbsolute)),
    ...of('folder', 'folder', join(home, 'mlx-models'), join(home, '.mlx_models')),
    ...of('studio', 'lmstudio', join(home, '.lmstudio'), join(home, '.cache', 'lm-studio')),
    ...of('pointer', 'lmstudio', join(home, '.lmstudio-home-pointer')),
    ...of('folder', 'folder', ...added),
    ...of('hub', 'huggingface', hubFolder(env, home)),
    ...manifests,
  ];
}

/** The cache of Hugging Face, as its Python client finds it (huggingface_hub/constants.py). */
export function hubFolder(env: ScanRequest['env'], home: string): string {
  const expanded = (path: string) =>
    // A value may contain `~` or a variable: whoever sets it outside a shell expects Python to expand them.
    inHome(path, home).replace(/\$(?:\{(\w+)\}|(\w+))/g, (all, braced, bare) => env[braced ?? bare] ?? all);
  const caches = env.XDG_CACHE_HOME || join(home, '.cache');
  const hfHome = expanded(env.HF_HOME || join(caches, 'huggingface'));
  return expanded(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(hfHome, 'hub'));
}

/** The home of LM Studio that a pointer file names. */
export function pointedTo(pointer: string): ScanPlace[] {
  const path = (readText(pointer, MAX_POINTER_BYTES) ?? '').trim();
  return isAbsolute(path) ? [{ kind: 'studio', path, owner: 'lmstudio' }] : [];
}

/** LM Studio's models: `models` in its home, and the folder that the user moved them to in its settings. */
export function studioFolders(home: string): ScanPlace[] {
  const settings = readJson(join(home, 'settings.json'), MAX_SETTINGS_BYTES);
  const moved = (settings as { downloadsFolder?: unknown } | null | undefined)?.downloadsFolder;
  const folders = [join(home, 'models'), ...(typeof moved === 'string' && isAbsolute(moved) ? [moved] : [])];
  return folders.map((path) => ({ kind: 'folder', path, owner: 'lmstudio' }));
}

/** Expands `~`, as users write it: `~/models` is in the home folder. */
function inHome(folder: string, home: string): string {
  return normalize(/^~(?:$|\/)/.test(folder) ? join(home, folder.slice(1)) : folder).replace(/(?<=.)\/$/, '');
}
