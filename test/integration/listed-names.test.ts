import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp, until } from '../support/app';
import { ODD_NAMES, writeOddModels } from '../support/odd-models';

interface Answer {
  error?: string;
  message?: { content: string };
  tandem?: { backend: string; model: string };
}

describe('listed names', () => {
  let folder: string;
  let app: App;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tandem-names-'));
    await mkdir(join(folder, 'data'));
    await writeOddModels(join(folder, 'models'), ODD_NAMES);
    const values = { useBackends: 'mlx', modelFolders: [join(folder, 'models')] };
    await writeFile(join(folder, 'data', 'settings.json'), JSON.stringify({ version: 1, values }));
    app = await startApp({ dataDir: join(folder, 'data') });
  });
  afterAll(async () => {
    await app?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const listed = async () => {
    const { models } = (await (await fetch(`${app.ready.gateway}/api/tags`)).json()) as {
      models: { name: string }[];
    };
    return models.map(({ name }) => name);
  };
  const post = async (path: string, body: object) => {
    const response = await fetch(`${app.ready.gateway}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return (await response.json()) as Answer;
  };

  it('all answer, each with its own model, whatever the name of the folder', async () => {
    // A folder named `auto` gets its parent's name too.
    const names = ODD_NAMES.map((name) => name.replace(/^auto$/, 'models/auto'));
    await until(async () => {
      const now = await listed();
      return names.every((name) => now.includes(name));
    }, 'all are listed');
    for (const model of names) {
      const answer = await post('/api/chat', {
        model,
        stream: false,
        messages: [{ role: 'user', content: 'hello' }],
        options: { num_predict: 2 },
      });
      expect(answer.tandem, `${model}: ${answer.error}`).toMatchObject({ backend: 'mlx', model });
      expect(await post('/api/show', { model })).toMatchObject({ tandem: { backend: 'mlx' } });
    }
  });
});
