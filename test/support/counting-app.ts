import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, type AppOptions, ask, startApp, until } from './app.ts';
import { createOllamaModel, MODEL, withoutSmallModel, writeMlxModel } from './counting-model.ts';
import { FEW_WORDS } from './counting-words.ts';

const STRICT = { 'x-tandem-strict': 'true' };

/** A coding task, which goes to Ollama. */
export const CODE = 'Write a Python function that merges two sorted lists';
/** Name of the model on both servers. */
export const COUNTING = MODEL;

/**
 * The built app with both real servers and a counting model: each server answers every prompt with its own words. It
 * answers at once, so it suits tests of faults and order. It counts as capable of everything, since it is configured by
 * name. The models are in the data folder, and are removed with it.
 * @param options of `startApp`; its `env` is merged over the one that names the models
 */
export async function startCountingApp(options: AppOptions = {}): Promise<App> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'tandem-counting-')));
  const home = join(dataDir, 'counting');
  await writeMlxModel(home, FEW_WORDS);
  await withoutSmallModel(dataDir);
  const env: Record<string, string> = {
    MLX_MODEL_FAST: join(home, 'mlx-models', MODEL),
    OLLAMA_MODEL_FAST: MODEL,
    OLLAMA_MODEL_CODING: MODEL,
    OLLAMA_MODEL_REASONING: MODEL,
    OLLAMA_MODEL_GENERAL: MODEL,
    MLX_RATE_LIMIT_MAX: '0',
    ...options.env,
  };
  const app = await startApp({ ...options, dataDir, env });
  try {
    const { url } = (await app.health()).backends.ollama ?? {};
    if (url && env.OLLAMA_API_URL === undefined) {
      await createOllamaModel(url, home, FEW_WORDS);
      // The app lists the model shortly after the server has it.
      const answers = async () =>
        (await ask(app.ready.gateway, CODE, { model: `ollama/${MODEL}`, headers: STRICT })).status === 200;
      await until(answers, 'the model of Ollama answers');
    }
    return app;
  } catch (error) {
    await app.stop();
    throw error;
  }
}
