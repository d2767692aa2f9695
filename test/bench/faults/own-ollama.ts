import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { ollamaProgram } from '../../support/runtimes.ts';

/** A real Ollama that the app does not manage. */
export interface OwnOllama {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

export async function startOwnOllama(modelsDir: string): Promise<OwnOllama> {
  await mkdir(modelsDir, { recursive: true });
  const child = spawn(ollamaProgram(), ['serve'], {
    env: {
      PATH: process.env.PATH,
      HOME: modelsDir,
      OLLAMA_HOST: '127.0.0.1:0',
      OLLAMA_MODELS: modelsDir,
      OLLAMA_NO_CLOUD: '1',
      OLLAMA_NOPRUNE: '1',
      OLLAMA_NUM_PARALLEL: '1',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  const url = await new Promise<string>((settle, reject) => {
    void ended.then(() => reject(new Error('Ollama ended before it listened')));
    // Its log must be read for as long as it lives: it blocks when the pipe is full.
    createInterface({ input: child.stderr }).on('line', (line) => {
      const found = /Listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (found) settle(`http://${found}`);
    });
  });
  return {
    url,
    pid: Number(child.pid),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
