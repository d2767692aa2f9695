import { join } from 'node:path';
import type { BackendRequest } from '../../src/main/backends/backend';
import { type HangLimits, patientLimits } from '../../src/main/backends/mlx/hang-limits';
import { MlxBackend } from '../../src/main/backends/mlx/mlx-backend';
import type { MlxBackendOptions } from '../../src/main/backends/mlx/mlx-options';
import { namesIn, readModelFolder } from '../../src/main/models/model-folder';
import { systemClock } from '../../src/main/ports/clock';
import { silentLogger } from '../../src/main/ports/logger';
import type { createNodeFetcher } from '../../src/main/ports/node-fetcher';
import { createProcessTable } from '../../src/main/ports/node-process-table';
import { nodeSpawner } from '../../src/main/ports/node-spawner';
import { ChildRecords } from '../../src/main/supervisor/sweep';
import type { CompletionChunk } from '../../src/shared/completion';
import type { BackendStatus } from '../../src/shared/status';
import { MLX } from './backends';
import { LAUNCH_SCRIPT, mlxPython } from './runtimes';

export const table = createProcessTable();
export const never = new AbortController().signal;
/** A slow machine does not count as a hung server. */
export const PATIENT: HangLimits = patientLimits(40);

/**
 * The backend with the real mlx_lm.server, which keeps the model `slow` loaded and restarts quickly after a death.
 * @param folder for files that it writes
 * @param models folders by name
 */
export function realMlx(
  folder: string,
  models: Readonly<Record<string, string>>,
  http: ReturnType<typeof createNodeFetcher>,
  options: Partial<MlxBackendOptions> = {},
): MlxBackend {
  return new MlxBackend(
    {
      instance: MLX,
      locate: async () => ({ path: mlxPython() }),
      launchScript: LAUNCH_SCRIPT,
      preload: async () => ({ name: 'slow', folder: models.slow ?? '' }),
      resolveModel: async (name) => models[name] ?? null,
      modelFacts,
      listModels: async () => [],
      maxConcurrent: () => 1,
      env: process.env,
      fetcher: http.fetcher,
      post: http.post,
      instanceId: 'test',
      limits: { backoffFirstMs: 200 },
      hang: PATIENT,
      ...options,
    },
    {
      clock: systemClock,
      spawner: nodeSpawner,
      table,
      records: new ChildRecords(join(folder, 'children.json')),
      logger: silentLogger,
    },
  );
}

/** The model's facts, as the model scan reads them. */
function modelFacts(folder: string) {
  const read = readModelFolder(folder, namesIn(folder), 'model');
  return read && 'found' in read ? read.found.facts : { vocabSize: null, contextLength: null };
}

/** A request for which a random model computes exactly this many tokens. */
export function babble(maxTokens: number, model = 'slow'): BackendRequest {
  return {
    id: `r${maxTokens}`,
    model,
    messages: [{ role: 'user', content: 'hello' }],
    // Greedy, so that every run is the same: with sampling, any token may end the answer.
    sampling: { maxTokens, temperature: 0, stop: ['never said'] },
  };
}

export async function collect(chunks: AsyncIterable<CompletionChunk>): Promise<CompletionChunk[]> {
  const all: CompletionChunk[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

/** Resolves with the first status for which `done` is true. */
export function until(backend: MlxBackend, done: (status: BackendStatus) => boolean): Promise<BackendStatus> {
  return new Promise((resolve) => {
    const check = (status: BackendStatus) => {
      if (!done(status)) return;
      unsubscribe();
      resolve(status);
    };
    const unsubscribe = backend.onStatus(check);
    check(backend.status());
  });
}
