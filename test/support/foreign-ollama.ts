import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { OllamaApi } from '../../src/main/backends/dialects/ollama/ollama-api';
import { createNodeFetcher } from '../../src/main/ports/node-fetcher';
import { ollamaProgram } from './runtimes';

/** An Ollama that Tandem did not start. */
export interface ForeignOllama {
  url: string;
  process: ChildProcess;
  api: OllamaApi;
  /** Its model folder. */
  modelsDir: string;
  stop(): Promise<void>;
}

/** Starts an Ollama in its own folder, on any free loopback port unless one is given. */
export async function startForeignOllama(folder: string, port = 0): Promise<ForeignOllama> {
  const modelsDir = join(folder, 'models');
  await mkdir(modelsDir, { recursive: true });
  const child = spawn(ollamaProgram(), ['serve'], {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      OLLAMA_HOST: `127.0.0.1:${port}`,
      OLLAMA_MODELS: modelsDir,
      OLLAMA_NO_CLOUD: '1',
      OLLAMA_NOPRUNE: '1',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise<void>((settle) => child.once('exit', () => settle()));
  const url = await new Promise<string>((settle, reject) => {
    void exited.then(() => reject(new Error('the foreign Ollama ended before it listened')));
    // Its log must be read for as long as it lives: it blocks when the pipe is full.
    createInterface({ input: child.stderr }).on('line', (line) => {
      const found = /Listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (found) settle(`http://${found}`);
    });
  });
  const { fetcher, post, close } = createNodeFetcher();
  return {
    url,
    process: child,
    api: new OllamaApi({ url, fetcher, post, instanceId: 'test' }),
    modelsDir,
    async stop() {
      await close();
      child.kill('SIGTERM');
      return exited;
    },
  };
}
