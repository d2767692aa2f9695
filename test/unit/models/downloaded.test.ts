import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DownloadedModels } from '../../../src/main/models/downloaded';
import { nodeFileStore } from '../../../src/main/ports/file-store';
import { silentLogger } from '../../../src/main/ports/logger';
import { tempDir } from '../../support/temp-dir';

async function opened(path: string): Promise<DownloadedModels> {
  const models = new DownloadedModels({ files: nodeFileStore, path, logger: silentLogger });
  await models.load();
  return models;
}

it('what Tandem downloaded is known after a restart, by its exact name; a missing tag is `latest`', async () => {
  const path = join(tempDir(), 'downloaded-models.json');
  const first = await opened(path);
  await Promise.all([first.add('ollama', 'nomic-embed-text'), first.add('mlx', 'org/Model-4bit')]);
  await first.add('ollama', 'nomic-embed-text:latest');
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual([
    { backend: 'ollama', name: 'nomic-embed-text' },
    { backend: 'mlx', name: 'org/Model-4bit' },
  ]);
  const second = await opened(path);
  expect(second.has('ollama', 'nomic-embed-text:latest')).toBe(true);
  expect(second.has('mlx', 'nomic-embed-text')).toBe(false);
  expect(second.has('mlx', 'org/model-4bit')).toBe(false);
  await second.remove('mlx', 'org/Model-4bit');
  expect((await opened(path)).has('mlx', 'org/Model-4bit')).toBe(false);
});

it.each(['not json', '{"backend":"mlx"}', '[{"backend":1}]'])(
  'a file with %s counts as empty',
  async (text) => {
    const path = join(tempDir(), 'downloaded-models.json');
    await writeFile(path, text);
    expect((await opened(path)).has('mlx', 'org/Model-4bit')).toBe(false);
  },
);

it('a list that cannot be written is kept in memory', async () => {
  const models = await opened(join(tempDir(), 'missing', 'downloaded-models.json'));
  await models.add('mlx', 'org/Model-4bit');
  expect(models.has('mlx', 'org/Model-4bit')).toBe(true);
});
