import { expect, test } from 'vitest';
import { ollamaLaunchSpec } from '../../../src/main/backends/ollama/launch-spec';

test('a server of ours keeps few contexts, computes one answer at a time and makes no outside calls', () => {
  const { env } = ollamaLaunchSpec('ollama', { OLLAMA_NUM_PARALLEL: '4', SECRET: 'x' }, 'log', 0);
  expect(env).toEqual({
    OLLAMA_HOST: '127.0.0.1:0',
    OLLAMA_NO_CLOUD: '1',
    OLLAMA_NOPRUNE: '1',
    OLLAMA_NUM_PARALLEL: '1',
    LLAMA_ARG_CACHE_RAM: '256',
  });
});
