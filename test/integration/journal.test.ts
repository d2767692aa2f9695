import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { type App, ask, NO_SERVERS, startApp } from '../support/app';
import { startFakeOllama } from '../support/fake-ollama';
import { tempDir } from '../support/temp-dir';

const MODEL = 'steady';

async function useOf(app: App) {
  const body = await (await fetch(`${app.ready.gateway}/health`)).json();
  const { models } = body as { models: { name: string; use_count: number; last_used_at: string | null }[] };
  return models.find(({ name }) => name === MODEL);
}

it('how often and when a model has answered is known after a restart, from the journal', async () => {
  const dataDir = tempDir();
  const server = await startFakeOllama({ words: 1, everyMs: 0 });
  onTestFinished(() => server.close());
  const env = { ...NO_SERVERS, OLLAMA_API_URL: server.url };
  const first = await startApp({ dataDir, env });
  expect(await useOf(first)).toMatchObject({ use_count: 0, last_used_at: null });
  for (const model of [MODEL, MODEL, 'nobody-has-it']) await ask(first.ready.gateway, 'hello', { model });
  const before = await useOf(first);
  expect(before).toMatchObject({ use_count: 2, last_used_at: expect.stringMatching(/^20/) });
  await first.stop();

  const db = new DatabaseSync(join(dataDir, 'tandem.db'), { readOnly: true });
  const outcomes = db.prepare('SELECT outcome FROM journal ORDER BY seq').all();
  db.close();
  expect(outcomes.map(({ outcome }) => outcome).slice(0, 2)).toEqual(['done', 'done']);

  const second = await startApp({ dataDir, env });
  onTestFinished(async () => void (await second.stop()));
  expect((await useOf(second))?.use_count).toBe(2);
  await ask(second.ready.gateway, 'hello', { model: MODEL });
  expect((await useOf(second))?.use_count).toBe(3);
});
