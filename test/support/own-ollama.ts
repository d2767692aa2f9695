import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend, BackendRequest } from '../../src/main/backends/backend';
import { OllamaBackend } from '../../src/main/backends/ollama/ollama-backend';
import type { OllamaBackendOptions } from '../../src/main/backends/ollama/ollama-options';
import { patientStreamLimits } from '../../src/main/backends/watch/stream-limits';
import { systemClock } from '../../src/main/ports/clock';
import { type Logger, silentLogger } from '../../src/main/ports/logger';
import { createNodeFetcher } from '../../src/main/ports/node-fetcher';
import { createProcessTable } from '../../src/main/ports/node-process-table';
import { nodeSpawner } from '../../src/main/ports/node-spawner';
import { ChildRecords } from '../../src/main/supervisor/sweep';
import type { CompletionChunk } from '../../src/shared/completion';
import type { BackendStatus } from '../../src/shared/status';
import { OLLAMA } from './backends';
import { livingOf } from './processes';
import { SLOW, TINY, writeRandomModel } from './random-model';
import { ollamaProgram } from './runtimes';

/** One thread: two threads spin while they wait for each other, which takes minutes on a busy machine. */
const MODELFILE = `FROM .
TEMPLATE """{{- range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
"""
PARAMETER num_ctx 1024
PARAMETER num_thread 1
PARAMETER stop <|im_end|>
`;

/** A slow machine does not count as a hung server. */
const PATIENT = patientStreamLimits(40);

export const never = new AbortController().signal;

/** Real Ollama servers of the test over one folder with two models that write random text: `tiny`, and `slow`. */
export class OwnOllama {
  readonly folder: string;
  readonly table = createProcessTable();
  readonly http = createNodeFetcher();
  readonly #started: OllamaBackend[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<OwnOllama> {
    const made = new OwnOllama(await mkdtemp(join(tmpdir(), 'tandem-ollama-')));
    const backend = await made.ready();
    for (const [name, size] of Object.entries({ tiny: TINY, slow: SLOW })) {
      const folder = join(made.folder, name);
      await writeRandomModel(folder, size);
      await writeFile(join(folder, 'Modelfile'), MODELFILE);
      const files = (await readdir(folder)).filter((file) => /\.(safetensors|json)$/.test(file));
      const paths = files.map((file) => join(folder, file));
      await backend.createFromFiles(name, paths, join(folder, 'Modelfile'), never);
    }
    await made.stopAll();
    return made;
  }

  environment(): Record<string, string | undefined> {
    return { ...process.env, HOME: this.folder, OLLAMA_MODELS: join(this.folder, 'models') };
  }

  create(options: Partial<OllamaBackendOptions> = {}, logger: Logger = silentLogger): OllamaBackend {
    const backend = new OllamaBackend(
      {
        instance: OLLAMA,
        url: null,
        candidates: [],
        locate: async () => ({ path: ollamaProgram() }),
        logFile: join(this.folder, 'ollama.log'),
        env: this.environment(),
        fetcher: this.http.fetcher,
        post: this.http.post,
        instanceId: 'test',
        limits: { backoffFirstMs: 200 },
        watchEveryMs: 200,
        ...options,
        stream: { ...PATIENT, ...options.stream },
      },
      {
        clock: systemClock,
        spawner: nodeSpawner,
        table: this.table,
        records: new ChildRecords(join(this.folder, 'children.json')),
        logger,
      },
    );
    this.#started.push(backend);
    return backend;
  }

  async ready(options: Partial<OllamaBackendOptions> = {}, logger?: Logger): Promise<OllamaBackend> {
    const backend = this.create(options, logger);
    await backend.start();
    await backend.ensureReady();
    return backend;
  }

  /** Pids of the processes that hold a server's models. The server also starts short-lived ones, to look for GPUs. */
  async runners(backend: OllamaBackend): Promise<number[]> {
    const pids = await this.table.descendants(backend.status().pid ?? 0);
    const lines = await livingOf(pids);
    return lines.filter((line) => line.includes('--model')).map((line) => Number.parseInt(line, 10));
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#started.splice(0).map((backend) => backend.stop()));
  }

  async remove(): Promise<void> {
    await this.stopAll();
    await this.http.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function babble(maxTokens: number, model = 'slow', content = 'hello'): BackendRequest {
  return {
    id: `r${maxTokens}`,
    model,
    messages: [{ role: 'user', content }],
    sampling: { maxTokens, temperature: 1.5, seed: 1, repeatPenalty: 1.3 },
  };
}

export async function collect(chunks: AsyncIterable<CompletionChunk>): Promise<CompletionChunk[]> {
  const all: CompletionChunk[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

/** Resolves with the first status for which `done` is true, now or later. */
export function until(
  backend: Pick<Backend, 'status' | 'onStatus'>,
  done: (status: BackendStatus) => boolean,
): Promise<BackendStatus> {
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
