import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wiredBytes } from '../../src/main/memory/start-limits';
import type { Answer } from '../../src/shared/chat';
import { type App, ask, until } from '../support/app';
import { startCountingApp } from '../support/counting-app';
import { openWebClient, type WebClient } from '../support/web-client';

/** The ledger and the guard on the built host with both real servers; lowering the limit makes memory critical. */
let app: App;
let client: WebClient;

beforeAll(async () => {
  app = await startCountingApp();
  client = await openWebClient(app);
});

afterAll(async () => {
  client?.close();
  await app?.stop();
  await app?.remove();
});

async function entry(backend: string, kind: string): Promise<number | null> {
  const { ledger } = await client.snapshot();
  return ledger?.entries.find((one) => one.backend === backend && one.kind === kind)?.bytes ?? null;
}

/** Sets them in this order: the warning is never above the critical limit, not even between the two calls. */
async function limits(
  ...percents: ['memoryWarningPercent' | 'memoryCriticalPercent', number][]
): Promise<void> {
  for (const [key, value] of percents) await client.call('settingsSet', { key, value });
}

async function ended(chatId: string, answerId: string): Promise<Answer> {
  let answer = await client.answer(chatId, answerId);
  await until(async () => {
    answer = await client.answer(chatId, answerId);
    return answer.status === 'done' || answer.status === 'failed';
  }, 'an ended answer');
  return answer;
}

describe('one ledger over two servers', () => {
  it('shows the memory of each, with its inside as a part of it', async () => {
    expect(await ask(app.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
    await until(async () => ((await entry('mlx', 'weights')) ?? 0) > 0, 'weights of MLX');
    expect(await entry('mlx', 'process')).toBeGreaterThan((await entry('mlx', 'weights')) ?? 0);
    await until(async () => ((await entry('ollama', 'process')) ?? 0) > 0, 'processes of Ollama');
    const { ledger, memory } = await client.snapshot();
    expect(ledger).toMatchObject({ totalBytes: memory?.totalBytes, usedBytes: memory?.usedBytes });
  });
});

describe('the limits of MLX itself', () => {
  /** Those of its last start, from the app's log. */
  async function last(): Promise<Record<string, unknown>> {
    const log = await readFile(join(app.dataDir, 'logs/tandem.log'), 'utf8');
    return JSON.parse(log.split('\n').findLast((line) => line.includes('"mlx.limits"')) ?? '{}');
  }

  it('come from the ledger at its start; memory is wired only where the setting says so', async () => {
    const { ledger } = await client.snapshot();
    const { memory, cache, wired } = await last();
    expect(wired).toBe(0);
    expect(memory).toBeGreaterThan(0);
    expect(memory).toBeLessThanOrEqual(ledger?.workingSetBytes ?? 0);
    expect(cache).toBe(Math.floor(Number(memory) / 10));

    await client.call('settingsSet', { key: 'mlxWiredPercent', value: 10 });
    await client.call('backendRestart', { backend: 'mlx' });
    const asked = wiredBytes(10, ledger?.totalBytes ?? 0);
    await until(async () => (await last()).wired === asked, 'the start with wired memory');
    await client.call('settingsReset', { key: 'mlxWiredPercent' });
    await client.call('backendRestart', { backend: 'mlx' });
    await until(async () => (await last()).wired === 0, 'the start without');
    const ready = async () => (await app.health()).backends.mlx?.state === 'ready';
    await until(ready, 'MLX ready');
  });
});

describe('memory that is critical', () => {
  it('holds MLX back with a reason, lets the user overrule once, and ends', async () => {
    await limits(['memoryWarningPercent', 1], ['memoryCriticalPercent', 2]);
    await until(async () => (await client.snapshot()).memory?.pressure === 'critical', 'critical memory');
    const held = await ask(app.ready.gateway, 'hello');
    expect(held).toMatchObject({ status: 200, backend: 'ollama' });
    expect(held.reasons).toContain('memory:critical');

    const sent = await client.call('chatSend', { chatId: null, text: 'hello', target: { kind: 'auto' } });
    expect((await ended(sent.chatId, sent.answerId)).meta.source).toBe('ollama');
    const again = { answerId: sent.answerId, target: { kind: 'backend', backend: 'mlx' } } as const;
    const retried = await client.call('chatRetry', again);
    expect((await ended(sent.chatId, retried.answerId)).meta.source).toBe('ollama');
    const anyway = await client.call('chatRetry', { ...again, overruleMemory: true });
    expect((await ended(sent.chatId, anyway.answerId)).meta.source).toBe('mlx');

    await limits(['memoryCriticalPercent', 95], ['memoryWarningPercent', 85]);
    await until(async () => (await client.snapshot()).memory?.pressure === 'normal', 'normal memory');
    expect(await ask(app.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
  });
});
