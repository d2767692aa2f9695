import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { wordsOf } from './counting-words.ts';
import { type RandomModelSize, writeCountingModel } from './random-model.ts';
import { ollamaProgram } from './runtimes.ts';

/** Name of the model on both servers. */
export const MODEL = 'counting';

/** As small as its words allow: the launcher's fault module paces it, which costs no CPU time. */
const FOR_MLX: RandomModelSize = { hidden: 320, layers: 1 };
/** This one is not paced, so it is large enough to be interrupted in the middle of an answer, on one thread. */
const FOR_OLLAMA: RandomModelSize = { hidden: 384, layers: 4 };

/** Writes the model for MLX to a folder that the scanner reads. */
export async function writeMlxModel(home: string, words: number): Promise<void> {
  await writeCountingModel(join(home, 'mlx-models', MODEL), FOR_MLX, wordsOf('mlx', words));
}

/**
 * Creates the model in a running Ollama; the next Ollama with the same model folder finds it.
 * @param folder for temporary files
 */
export async function createOllamaModel(
  url: string,
  folder: string,
  words: number,
  name = MODEL,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const weights = await writeCountingModel(join(folder, 'weights'), FOR_OLLAMA, wordsOf('ollama', words));
  const file = join(folder, 'Modelfile');
  await writeFile(
    file,
    `FROM ${weights}\nTEMPLATE {{ .Prompt }}\nPARAMETER temperature 0\nPARAMETER num_ctx 1024\nPARAMETER num_thread 1\n`,
  );
  await promisify(execFile)(ollamaProgram(), ['create', name, '-f', file], {
    env: { PATH: process.env.PATH, HOME: folder, OLLAMA_HOST: new URL(url).host },
  });
}

/**
 * A data folder in which the user has removed the small model, so that MLX has nothing to load at start. Writes the
 * settings file unless there is one.
 */
export async function withoutSmallModel(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // Tandem rejects a folder with other files in it unless it is marked as its own.
  await writeFile(join(dataDir, '.tandem-data'), '');
  const settings = JSON.stringify({ version: 1, values: { smallModel: false } });
  await writeFile(join(dataDir, 'settings.json'), settings, { flag: 'wx' }).catch((error) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
