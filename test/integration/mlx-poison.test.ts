import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, ask, NO_SERVERS, until } from '../support/app';
import { COUNTING, startCountingApp } from '../support/counting-app';
import { POISON, type Poison } from '../support/poison';

/** Requests that kill a bare mlx_lm.server, sent by a client through the whole product to the real one. */

let app: App;
let pid: number | null;

beforeAll(async () => {
  app = await startCountingApp({ env: { OLLAMA_API_URL: NO_SERVERS.OLLAMA_API_URL } });
  const mlx = async () => (await app.health()).backends.mlx;
  const up = await until(async () => (await mlx())?.state === 'ready' && mlx(), 'MLX ready');
  pid = up?.pid ?? null;
});

afterAll(async () => {
  await app?.stop();
  await app?.remove();
});

describe('the real mlx_lm.server survives', () => {
  it.each(POISON)('$what', async ({ path, body, outcome, tooLong }) => {
    const model = { model: `mlx/${COUNTING}`, stream: false };
    const response = await fetch(app.ready.gateway + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-tandem-strict': 'true' },
      body:
        typeof body === 'string'
          ? body.replace('{', '{"model":"auto",')
          : JSON.stringify({ ...model, ...body }),
    });
    const answer = (await response.json()) as { error?: string };
    if (tooLong) expect(response.status, answer.error).toBe(400);
    else expectOutcome(outcome, response.status, answer.error);
    // One with a temperature, in a batch: a poisoned sampler kills it.
    expect(await ask(app.ready.gateway, 'hello', { model: `mlx/${COUNTING}` })).toMatchObject({
      status: 200,
      backend: 'mlx',
    });
    expect((await app.health()).backends.mlx).toMatchObject({ pid, restarts: 0, last_error: null });
  });
});

it('an ordinary retry, whose whole prompt is cached, neither kills it nor counts as a killer', async () => {
  for (let retry = 0; retry < 3; retry += 1) {
    const options = { model: `mlx/${COUNTING}`, tokens: 1 };
    expect(await ask(app.ready.gateway, 'the same again', options)).toMatchObject({
      status: 200,
      backend: 'mlx',
    });
  }
  expect((await app.health()).backends.mlx).toMatchObject({ pid, restarts: 0, last_error: null });
});

function expectOutcome(outcome: Poison['outcome'], status: number, error: string | undefined): void {
  if (outcome.kind === 'sent') expect(status, error).toBe(200);
  else if (outcome.kind === 'refused')
    expect([status, error]).toEqual([400, expect.stringMatching(outcome.field)]);
  else expect(status).toBeGreaterThanOrEqual(400);
}
