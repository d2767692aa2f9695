import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOllamaModel } from './counting-model';
import { WORD_COUNT } from './counting-words';
import { startForeignOllama } from './foreign-ollama';
import { OciRegistry } from './oci-registry';

/** A registry on loopback that serves `capable`, a model of a few megabytes. */
export interface ServedModel {
  registry: OciRegistry;
  close(): Promise<void>;
}

/** Creates the model with a real Ollama, stops that Ollama, and serves the files from its folder. */
export async function serveCapableModel(): Promise<ServedModel> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-registry-'));
  const ollama = await startForeignOllama(folder);
  await createOllamaModel(ollama.url, join(folder, 'made'), WORD_COUNT, 'capable');
  await ollama.stop();
  const registry = new OciRegistry(ollama.modelsDir, 'capable');
  await registry.listen();
  return {
    registry,
    async close() {
      await registry.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
