/**
 * A host that starts both servers through the supervisor and waits to be killed. A test runs it as `node orphan-host.js
 * FOLDER PYTHON OLLAMA MODEL`; it prints the pids as one JSON line when both servers are up.
 */
import { join } from 'node:path';
import { MlxBackend } from '../../src/main/backends/mlx/mlx-backend';
import { OllamaBackend } from '../../src/main/backends/ollama/ollama-backend';
import { systemClock } from '../../src/main/ports/clock';
import { silentLogger } from '../../src/main/ports/logger';
import { createNodeFetcher } from '../../src/main/ports/node-fetcher';
import { createProcessTable } from '../../src/main/ports/node-process-table';
import { nodeSpawner } from '../../src/main/ports/node-spawner';
import { ChildRecords } from '../../src/main/supervisor/sweep';
import { MLX, OLLAMA } from './backends';

const [folder = '', python = '', ollamaPath = '', model = '', launchScript = ''] = process.argv.slice(2);
const table = createProcessTable();
const ports = {
  clock: systemClock,
  spawner: nodeSpawner,
  table,
  records: new ChildRecords(join(folder, 'children.json')),
  logger: silentLogger,
};
const { fetcher, post } = createNodeFetcher();
const common = { fetcher, post, instanceId: 'orphan-host' };
const mlx = new MlxBackend(
  {
    ...common,
    instance: MLX,
    locate: async () => ({ path: python }),
    launchScript,
    preload: async () => ({ name: 'tiny', folder: model }),
    resolveModel: async () => model,
    modelFacts: () => ({ vocabSize: null, contextLength: null }),
    listModels: async () => [],
    maxConcurrent: () => 1,
    env: process.env,
  },
  ports,
);
const ollama = new OllamaBackend(
  {
    ...common,
    instance: OLLAMA,
    url: null,
    candidates: [],
    locate: async () => ({ path: ollamaPath }),
    logFile: join(folder, 'ollama.log'),
    env: { ...process.env, HOME: folder, OLLAMA_MODELS: join(folder, 'models') },
  },
  ports,
);
await Promise.all([mlx.start(), ollama.start()]);
await Promise.all([mlx.ensureReady(), ollama.ensureReady()]);
await ports.records.settled();
console.log(JSON.stringify([mlx.status().pid, ollama.status().pid]));
setInterval(() => {}, 1000);
