import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import type { QueueStats } from '../../src/shared/status';
import { Traffic } from '../bench/soak/traffic';
import { fileBytes, startSoakApp } from '../bench/soak/world';
import { tempDir } from '../support/temp-dir';

const REQUESTS = 1_000;

/** The countable part of `npm run bench -- soak`; memory is measured there. */
it('a thousand requests of all kinds get the expected response, and leave nothing behind', async () => {
  const app = await startSoakApp(join(tempDir(), 'soak'));
  let running = true;
  onTestFinished(async () => {
    if (running) await app.stop();
  });
  const traffic = await Traffic.open(app);
  await traffic.run(REQUESTS / 5);
  const early = await app.measure();
  await traffic.run(REQUESTS);
  const late = await app.measure();
  traffic.close();

  const { sent, wrong, completions, byKind } = traffic.sums;
  expect(sent).toBe(REQUESTS);
  expect(wrong).toEqual([]);
  const stats = (await (await fetch(`${app.ready.gateway}/queue/stats`)).json()) as QueueStats;
  expect([stats.depth, stats.running, stats.replaying]).toEqual([0, 0, 0]);
  expect(stats.accepted).toBe(stats.done + stats.failed + stats.cancelled);
  expect(stats.received).toBe(stats.accepted + stats.rejected);
  expect(stats.received).toBeLessThanOrEqual(completions);
  // A client may have disconnected before the host has read its request.
  expect(stats.received).toBeGreaterThanOrEqual(completions - (byKind.cancel ?? 0));
  expect(late.resources).toBeLessThanOrEqual(early.resources);
  expect((await app.health()).backends).toMatchObject({ mlx: { restarts: 0 }, ollama: { restarts: 0 } });

  expect((await app.stop()).code).toBe(0);
  running = false;
  const db = new DatabaseSync(join(app.dataDir, 'tandem.db'), { readOnly: true });
  const count = (table: string) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n;
  expect(count('journal')).toBe(stats.received);
  // Each chat was deleted once it had its answer.
  expect([count('chats'), count('messages')]).toEqual([0, 0]);
  db.close();
  expect((await fileBytes(app.dataDir)).others).toBeLessThan(100_000);
});
