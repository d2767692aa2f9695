import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { wordsOf } from './counting-words.ts';
import { type RandomModelSize, writeCountingModel } from './random-model.ts';
import { ollamaProgram } from './runtimes.ts';

/** Name of the model on both servers. */
export const MODEL = 'counting';

/** As small as its words allow: the fault module of the launcher paces it, which costs no processor time. */
const FOR_MLX: RandomModelSize = { hidden: 320, layers: 1 };
/** Nothing paces this one, so it is large enough to be hit in the middle of an answer, on one thread. */
const FOR_OLLAMA: RandomModelSize = { hidden: 384, layers: 4 };

/** Puts the model for MLX where its scanner looks. */
export async function writeMlxModel(home: string, words: number): Promise<void> {
  await writeCountingModel(join(home, 'mlx-models', MODEL), FOR_MLX, wordsOf('mlx', words));
}

/**
 * Makes the model in an Ollama that runs; what it stores is found by the next one in the same model folder.
 *
 * @param folder for what is written on the way
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
 * A data folder in which the user has removed the small model, so that MLX has nothing to load at its start; its settings
 * file is written unless there is one.
 */
export async function withoutSmallModel(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // Tandem refuses a folder with other files in it unless it is marked as its own.
  await writeFile(join(dataDir, '.tandem-data'), '');
  const settings = JSON.stringify({ version: 1, values: { smallModel: false } });
  await writeFile(join(dataDir, 'settings.json'), settings, { flag: 'wx' }).catch((error) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
