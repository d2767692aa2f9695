import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ollamaLaunchSpec } from '../../../src/main/backends/ollama/launch-spec';
import { ServerLog } from '../../../src/main/backends/ollama/server-log';
import { tempDir } from '../../support/temp-dir';

test('a log that grows large while the server runs is set aside, and its end is read from the new one', async () => {
  const folder = tempDir();
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'ollama.log');
  const log = new ServerLog(file);
  await log.begin(new Date(0));
  await log.bound();
  expect(await readFile(file, 'utf8')).toContain('start');
  await appendFile(file, `${'x'.repeat(99)}\n`.repeat(51_000));
  await log.bound();
  expect(await readFile(file, 'utf8')).toBe('');
  expect((await readFile(`${file}.1`)).length).toBeGreaterThan(5_000_000);
  await appendFile(file, 'Error: listen tcp 127.0.0.1:1: bind: address already in use\n');
  expect(log.evidence()).toEqual(['port_taken']);
});

test('a server of ours keeps few contexts, computes one answer at a time and calls nobody', () => {
  const { env } = ollamaLaunchSpec('ollama', { OLLAMA_NUM_PARALLEL: '4', SECRET: 'x' }, 'log', 0);
  expect(env).toEqual({
    OLLAMA_HOST: '127.0.0.1:0',
    OLLAMA_NO_CLOUD: '1',
    OLLAMA_NOPRUNE: '1',
    OLLAMA_NUM_PARALLEL: '1',
    LLAMA_ARG_CACHE_RAM: '256',
  });
});
