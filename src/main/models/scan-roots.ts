import { readFile } from 'node:fs/promises';
import { isAbsolute, join, normalize } from 'node:path';

/** Where MLX models are looked for. */
export interface ScanRoots {
  /** The small model's folder; null = it is not there. */
  small: string | null;
  /** Hugging Face cache folders (`…/hub`). */
  hubs: string[];
  /** Folders that hold model folders, one or two levels deep (`org/name` or `name`). */
  folders: string[];
  /** Folders given by name or path in settings (`MLX_MODEL_FAST` may be a path). */
  direct: string[];
}

/** The places on this machine; `home` and `env` are passed in so that tests stay in their own folder. */
export async function scanRoots(options: {
  home: string;
  env: Record<string, string | undefined>;
  small: string | null;
  /** Folders that the user added. */
  folders: readonly string[];
  direct: readonly string[];
}): Promise<ScanRoots> {
  const { home, env } = options;
  const hfHome = env.HF_HOME ?? join(home, '.cache', 'huggingface');
  const folders = [
    join(home, 'mlx-models'),
    join(home, '.mlx_models'),
    ...(await lmStudioFolders(home)),
    ...options.folders.map((folder) => inHome(folder.trim(), home)).filter(isAbsolute),
  ];
  return {
    small: options.small,
    hubs: [env.HF_HUB_CACHE ?? join(hfHome, 'hub')],
    folders: [...new Set(folders)],
    direct: options.direct.filter((name) => isAbsolute(name)),
  };
}

/** As a person writes it: `~/models` is in the home folder. */
function inHome(folder: string, home: string): string {
  return normalize(/^~(?:$|\/)/.test(folder) ? join(home, folder.slice(1)) : folder).replace(/(?<=.)\/$/, '');
}

/**
 * LM Studio's folders of models. Its home is `~/.lmstudio`, in older versions `~/.cache/lm-studio`, or wherever
 * `~/.lmstudio-home-pointer` says; the models lie in its `models`, or where a person has moved them in its settings.
 */
async function lmStudioFolders(home: string): Promise<string[]> {
  const pointer = await readFile(join(home, '.lmstudio-home-pointer'), 'utf8').catch(() => '');
  const homes = [join(home, '.lmstudio'), join(home, '.cache', 'lm-studio'), pointer.trim()];
  const folders = await Promise.all(
    homes.filter(isAbsolute).map(async (place) => [join(place, 'models'), ...(await movedTo(place))]),
  );
  return folders.flat();
}

async function movedTo(lmStudioHome: string): Promise<string[]> {
  try {
    const settings = JSON.parse(await readFile(join(lmStudioHome, 'settings.json'), 'utf8'));
    const folder: unknown = settings?.downloadsFolder;
    return typeof folder === 'string' && isAbsolute(folder) ? [folder] : [];
  } catch {
    return [];
  }
}
