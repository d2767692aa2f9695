import { expect, it, onTestFinished } from 'vitest';
import { SMALL_MODEL_NAME } from '../../src/shared/domain';
import { COUNTING, startCountingApp } from '../support/counting-app';
import { openWebClient } from '../support/web-client';

it('a small model that the user has removed is neither fetched nor created again', async () => {
  const app = await startCountingApp();
  onTestFinished(async () => {
    await app.stop();
    await app.remove();
  });
  const page = await openWebClient(app);
  onTestFinished(() => page.close());
  const { setup, models, settings } = await page.snapshot();
  expect(settings.smallModel).toMatchObject({ value: false });
  expect(setup.map(({ part }) => part).sort()).toEqual(['mlx', 'ollama']);
  const names = new Set(models.map(({ name }) => name));
  expect(names).toContain(COUNTING);
  expect(names).not.toContain(SMALL_MODEL_NAME);
});
