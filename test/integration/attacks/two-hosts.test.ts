import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QueueStats } from '../../../src/shared/status';
import { type App, ask, freePort, NO_SERVERS, startApp, until } from '../../support/app';
import { type ContractClient, connect } from '../../support/contract-client';
import { type FakeOllama, startFakeOllama } from '../../support/fake-ollama';

/** Two hosts, each with the gateway of the other as its Ollama, and each with one model of its own as its MLX. */

const CODE = 'Write a Python function that merges two sorted lists';
/** What each server answers. */
const WORDS = 'w0 w1 w2 ';
/** Lists would double with each round. */
const ROUNDS = 6;

interface Host {
  app: App;
  ui: ContractClient;
  /** The only server that computes anything for it. */
  server: FakeOllama;
  /** How often that server has listed its models. */
  lists(): number;
}

let first: Host;
let second: Host;
const hosts = () => [first, second];

beforeAll(async () => {
  const [left, right] = [await freePort(), await freePort()];
  [first, second] = await Promise.all([start('first', left, right), start('second', right, left)]);
  await until(async () => {
    // The host that started first found nobody at the address; the button looks again at once.
    for (const { ui } of hosts()) await ui.value('backendRestart', { backend: 'ollama' });
    for (const { ui } of hosts()) await ui.value('modelsRescan', {});
    const lists = await Promise.all(hosts().map((host) => listed(host)));
    return lists.every((names) => names.length >= 3);
  }, 'each lists the model of the other');
});
afterAll(async () => {
  for (const host of hosts()) {
    await host?.app.stop();
    await host?.app.remove();
    await host?.server.close();
  }
});

async function start(model: string, port: number, other: number): Promise<Host> {
  let lists = 0;
  const server = await startFakeOllama({
    words: 3,
    everyMs: 0,
    replies: {
      '/api/tags': (response) => {
        lists += 1;
        const details = { parameter_size: '3B', quantization_level: 'Q4_K_M' };
        response.end(JSON.stringify({ models: [{ name: model, digest: model, size: 2e9, details }] }));
      },
    },
  });
  const app = await startApp({
    env: {
      ...NO_SERVERS,
      TANDEM_GATEWAY_PORT: String(port),
      OLLAMA_API_URL: `http://127.0.0.1:${other}`,
      MLX_API_URL: server.url,
    },
  });
  return { app, ui: await connect(app.ready.web), server, lists: () => lists };
}

const listed = async ({ app }: Host, headers: Record<string, string> = {}) => {
  const response = await fetch(`${app.ready.gateway}/api/tags`, { headers });
  const { models } = (await response.json()) as { models: { name: string }[] };
  return models.map(({ name }) => name).sort();
};

const queue = async ({ app }: Host) =>
  (await (await fetch(`${app.ready.gateway}/queue/stats`)).json()) as QueueStats;

/** Completions that arrived at each of both hosts, and at their servers. */
async function arrived(): Promise<number[]> {
  const stats = await Promise.all(hosts().map(queue));
  return [...stats.map(({ received }) => received), ...hosts().map(({ server }) => server.requests())];
}

async function sinceThen(before: readonly number[]): Promise<number[]> {
  return (await arrived()).map((count, index) => count - Number(before[index]));
}

describe('two hosts that name each other as their Ollama', () => {
  it('list their own model and that of the other, however often they look', async () => {
    const before = hosts().map(({ lists }) => lists());
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(hosts().map(({ ui }) => ui.value('modelsRescan', {})));
      for (const host of hosts()) expect(await listed(host)).toEqual(['auto', 'first', 'second']);
    }
    expect(await listed(first, { 'x-tandem-hop': 'other' })).toEqual(['auto', 'first']);
    expect(await listed(second, { 'x-tandem-hop': 'other' })).toEqual(['auto', 'second']);
    // One host's look makes the other look at nothing.
    for (const [index, { lists }] of hosts().entries())
      expect(lists() - (before[index] ?? 0)).toBeLessThan(2 * ROUNDS);
  });

  it.each<[string, string, object, number[]]>([
    // The numbers: requests at the first host, at the second one, and at the server of each.
    ['hello', 'auto', { status: 200, backend: 'mlx', model: 'first', text: WORDS }, [1, 0, 1, 0]],
    [CODE, 'auto', { status: 200, backend: 'ollama', model: 'second', text: WORDS }, [1, 1, 0, 1]],
    ['hello', 'ollama/second', { status: 200, backend: 'ollama', text: WORDS }, [1, 1, 0, 1]],
    ['hello', 'ollama/first', { status: 404, code: 'model_not_found' }, [1, 0, 0, 0]],
    ['hello', 'nobody-has-it', { status: 404, code: 'model_not_found' }, [1, 0, 0, 0]],
  ])('answer %j to %s in as few steps as possible', async (content, model, expected, counts) => {
    const before = await arrived();
    expect(await ask(first.app.ready.gateway, content, { model })).toMatchObject(expected);
    expect(await sinceThen(before)).toEqual(counts);
  });

  it('report a plain error once neither has a server, and send nothing round in a circle', async () => {
    for (const { server } of hosts()) await server.close();
    for (const content of ['hello', CODE]) {
      for (const model of ['auto', 'ollama/second', 'mlx/first']) {
        const before = await arrived();
        const answer = await ask(first.app.ready.gateway, content, { model });
        const [atFirst, atSecond, ...atServers] = await sinceThen(before);
        expect({ ...answer, content, asked: model, atFirst, atServers }).toMatchObject({
          status: expect.toSatisfy((status) => status === 502 || status === 503),
          error: expect.stringMatching(/OLLAMA_API_URL|MLX_API_URL/),
          atFirst: 1,
          atServers: [0, 0],
        });
        // One retry; the request that comes back to the first host is refused there.
        expect(atSecond).toBeLessThanOrEqual(2);
      }
    }
    for (const host of hosts()) {
      const { depth, running } = await queue(host);
      expect([depth, running]).toEqual([0, 0]);
    }
  });

  it('exit cleanly, one after the other', async () => {
    for (const { app } of hosts()) expect((await app.stop()).code).toBe(0);
  });
});
