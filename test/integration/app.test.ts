import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, ask, startApp, until } from '../support/app';
import { livingOf, processesOf } from '../support/processes';

/**
 * The promise of the product on the built headless host with both real servers. A capable model is stood in for by
 * the starter's weights under another name.
 */
const STAND_IN = 'stand-in';
const CODE = 'Write a Python function that merges two sorted lists';
let app: App;

beforeAll(async () => {
  app = await startApp({
    env: {
      OLLAMA_MODEL_CODING: STAND_IN,
      OLLAMA_MODEL_REASONING: STAND_IN,
      OLLAMA_MODEL_GENERAL: STAND_IN,
      MLX_RATE_LIMIT_MAX: '0',
    },
  });
  const { backends } = await app.health();
  const response = await fetch(`${backends.ollama?.url}/api/create`, {
    method: 'POST',
    body: JSON.stringify({ model: STAND_IN, from: 'tandem-starter', stream: false }),
  });
  expect(response.status, await response.text()).toBe(200);
});

afterAll(async () => {
  await app?.stop();
  await app?.remove();
});

const mlx = async () => (await app.health()).backends.mlx;

describe('a person on a fresh machine', () => {
  it('gets small talk from MLX and code from Ollama, and is told which and why', async () => {
    const hello = await ask(app.ready.gateway, 'hello');
    expect(hello).toMatchObject({ status: 200, backend: 'mlx', model: 'tandem-starter' });
    expect(hello.text).toMatch(/\w/);
    expect(hello.reasons).toContain('rule:greeting');
    const code = await ask(app.ready.gateway, CODE);
    expect(code).toMatchObject({ status: 200, backend: 'ollama', model: STAND_IN });
    expect(code.reasons.some((reason) => reason.startsWith('rule:'))).toBe(true);
  });

  it('gets the same from the MLX API port', async () => {
    expect(await ask(app.ready.mlxApi, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
  });

  it('loses no request when MLX is killed in the middle of twenty', async () => {
    const before = await mlx();
    const requests = Array.from({ length: 20 }, (_, index) =>
      ask(app.ready.gateway, index % 2 ? CODE : 'hello'),
    );
    await Promise.race(requests);
    process.kill(Number(before?.pid), 'SIGKILL');
    const answers = await Promise.all(requests);
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(answers.every(({ text }) => text.length > 0)).toBe(true);
    const after = await until(async () => {
      const now = await mlx();
      return now?.state === 'ready' && now.pid !== before?.pid && now;
    }, 'MLX ready again by itself');
    expect(after.restarts).toBe(1);
    expect(await ask(app.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
  });

  it('keeps its counters balanced', async () => {
    const stats = (await (await fetch(`${app.ready.gateway}/queue/stats`)).json()) as Record<string, number>;
    expect(stats.received).toBe(Number(stats.accepted) + Number(stats.rejected));
    expect(stats.accepted).toBe(
      ['done', 'failed', 'cancelled', 'running', 'replaying', 'depth'].reduce(
        (sum, key) => sum + Number(stats[key]),
        0,
      ),
    );
  });

  it('writes no message text to its logs', async () => {
    const marked = 'canary-7c1f write a python function';
    await ask(app.ready.gateway, marked);
    const log = await readFile(`${app.dataDir}/logs/tandem.log`, 'utf8');
    expect(log.length).toBeGreaterThan(0);
    expect(`${log}${app.log()}`).not.toContain('canary-7c1f');
  });

  it('ends and leaves no process', async () => {
    const pid = Number(app.process.pid);
    const family = await processesOf(pid);
    expect(family.length).toBeGreaterThanOrEqual(2);
    const { code } = await app.stop();
    expect(code).toBe(0);
    expect(await livingOf(family)).toEqual([]);
  });
});
