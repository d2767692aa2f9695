import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

const resources = resolve(import.meta.dirname, '../../resources');

/** Folder of the managed runtimes, as `resources/setup/` fills it. */
export function runtimeDir(): string {
  if (process.env.TANDEM_RUNTIME_DIR) return process.env.TANDEM_RUNTIME_DIR;
  const cache =
    process.platform === 'darwin'
      ? join(homedir(), 'Library', 'Caches')
      : process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'Tandem', 'runtimes');
}

const pinned = () => JSON.parse(readFileSync(join(resources, 'runtimes.json'), 'utf8'));

function managed(name: 'mlx' | 'ollama', ...path: string[]): string {
  return executable(`${name}-${pinned()[name].version}`, ...path);
}

function executable(...path: string[]): string {
  const file = join(runtimeDir(), ...path);
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {
    throw new Error(`${file} is missing: run \`npm test\` or \`npm start\` once, they set the runtimes up`);
  }
}

/** Python with mlx-lm; if it is not set up, throws an error with instructions. */
export function mlxPython(): string {
  return process.env.TANDEM_MLX_PYTHON ?? managed('mlx', 'bin', 'python');
}

/** The Ollama program; if it is not set up, throws an error with instructions. */
export function ollamaProgram(): string {
  return process.env.TANDEM_OLLAMA_BIN ?? managed('ollama', 'bin', 'ollama');
}

/** The Electron that the window test drives; if it is not set up, throws an error with instructions. */
export function testElectron(): string {
  const { version, executable: name } = pinned().testElectron;
  return executable(`test-electron-${version}`, name);
}

export const LAUNCH_SCRIPT = join(resources, 'mlx', 'launch.py');

/** The small model as the set-up created it; if it is missing, throws an error with instructions. */
export function smallModel(): { gguf: string; mlx: string } {
  const { version } = pinned().smallModel;
  const folder = process.env.TANDEM_SMALL_MODEL ?? join(runtimeDir(), `smollm2-135m-instruct-${version}`);
  const paths = { gguf: join(folder, 'model.gguf'), mlx: join(folder, 'mlx') };
  if (!existsSync(join(paths.mlx, 'config.json')) || !existsSync(paths.gguf))
    throw new Error(`${folder} is missing: run \`npm test\` or \`npm start\` once, they get the small model`);
  return paths;
}

/** The configuration for both servers: template, system prompt, stop words. */
export const SMALL_MODELFILE = join(resources, 'models', 'small', 'Modelfile');
