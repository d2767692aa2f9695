import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SMALL_MODEL_NAME } from '../../src/shared/domain';
import { askBoth, QUESTIONS } from '../bench/questions/ask';
import { type App, ask, startApp, until } from '../support/app';
import { CODE } from '../support/counting-app';
import { livingOf, processesOf, signalAll } from '../support/processes';

/** The promise of the product on the built headless host: both real servers and the real small model on both. */
const CAPITAL = 'What is the capital of France?';
/** MLX computes about seven tokens per second on a CPU. */
const SHORT = { tokens: 8 };
let app: App;

beforeAll(async () => {
  app = await startApp({ env: { MLX_RATE_LIMIT_MAX: '0' } });
  const answers = async () => (await ask(app.ready.gateway, CODE)).status === 200;
  await until(answers, 'the small model is in Ollama');
});

afterAll(async () => {
  await app?.stop();
  await app?.remove();
});

const mlx = async () => (await app.health()).backends.mlx;

describe('a user on a fresh machine', () => {
  it('gets small talk from MLX and code from Ollama, labelled with server and reason', async () => {
    const hello = await ask(app.ready.gateway, 'hello', SHORT);
    expect(hello).toMatchObject({ status: 200, backend: 'mlx', model: SMALL_MODEL_NAME });
    expect(hello.text).toMatch(/\w/);
    expect(hello.reasons).toContain('rule:greeting');
    const code = await ask(app.ready.gateway, CODE);
    expect(code).toMatchObject({ status: 200, backend: 'ollama', model: SMALL_MODEL_NAME });
    expect(code.text).toMatch(/\w/);
    expect(code.reasons).toContain('small-model');
    expect(code.reasons.some((reason) => reason.startsWith('rule:'))).toBe(true);
  });

  it.each(['mlx', 'ollama'])('gets a fact right from the model on %s', async (backend) => {
    const answer = await ask(app.ready.gateway, CAPITAL, {
      ...SHORT,
      model: `${backend}/${SMALL_MODEL_NAME}`,
    });
    expect(answer).toMatchObject({ status: 200, backend, model: SMALL_MODEL_NAME });
    expect(answer.text).toContain('Paris');
  });

  // Two of the forty questions of `npm run bench -- questions`.
  it.each([10, 30].map((index) => QUESTIONS[index] ?? ''))('gets words from both: %s', async (question) => {
    for (const { faults, text } of await askBoth(app, question, SHORT.tokens)) {
      expect(faults).toEqual([]);
      expect(text).toMatch(/\p{L}/u);
    }
  });

  it('gets the same from the MLX API port', async () => {
    expect(await ask(app.ready.mlxApi, 'hello', SHORT)).toMatchObject({ status: 200, backend: 'mlx' });
  });

  it('loses no request when MLX is killed in the middle of twenty', async () => {
    const before = await mlx();
    const requests = Array.from({ length: 20 }, (_, index) =>
      ask(app.ready.gateway, index % 2 ? CODE : 'hello', SHORT),
    );
    await Promise.race(requests);
    signalAll([Number(before?.pid)], 'SIGKILL');
    const answers = await Promise.all(requests);
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(answers.every(({ text }) => text.length > 0)).toBe(true);
    const after = await until(async () => {
      const now = await mlx();
      return now?.state === 'ready' && now.pid !== before?.pid && now;
    }, 'MLX ready again by itself');
    expect(after.restarts).toBe(1);
    expect(await ask(app.ready.gateway, 'hello', SHORT)).toMatchObject({ status: 200, backend: 'mlx' });
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

  it('exits and leaves no process', async () => {
    const pid = Number(app.process.pid);
    const family = await processesOf(pid);
    expect(family.length).toBeGreaterThanOrEqual(2);
    const { code } = await app.stop();
    expect(code).toBe(0);
    expect(await livingOf(family)).toEqual([]);
  });
});
