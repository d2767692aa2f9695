import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBabbler, startForeignOllama } from './foreign-ollama';
import { OciRegistry } from './oci-registry';

/** A registry on loopback that serves `capable`, a model of a few megabytes. */
export interface ServedModel {
  registry: OciRegistry;
  close(): Promise<void>;
}

/** Makes the model with a real Ollama, which is stopped again, and serves what it has put into its folder. */
export async function serveCapableModel(): Promise<ServedModel> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-registry-'));
  const ollama = await startForeignOllama(folder);
  await createBabbler(ollama, 'capable');
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
