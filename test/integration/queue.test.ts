import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QueueStats } from '../../src/shared/status';
import { type App, NO_SERVERS, startApp, until } from '../support/app';
import { type ContractClient, connect } from '../support/contract-client';
import { SLOW, writeRandomModel } from '../support/random-model';

/** The queue of the built app in front of a real MLX server with one slot, whose steps a gate can block. */

const MODEL = 'babbler';
/** One client may have 1,800 requests waiting. */
const CROWD = 2000;
/** So many come at once: a busy machine does not accept all connections within the client's limit. */
const GROUP = 100;
const GATE = 'gate-closed';
/** No step runs while the gate's file exists, so that no request is served before all have arrived. */
const gated = (gate: string) => `
import os, time
def install(server, launcher):
    step = server.BatchGenerator.next
    def gated(self):
        while os.path.exists(${JSON.stringify(gate)}):
            time.sleep(0.02)
        return step(self)
    server.BatchGenerator.next = gated
`;

let folder: string;
let app: App;
let ui: ContractClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-queue-'));
  await writeRandomModel(join(folder, MODEL), SLOW);
  const { OLLAMA_API_URL } = NO_SERVERS;
  const faults = join(folder, 'gate.py');
  await writeFile(faults, gated(join(folder, GATE)));
  const env = {
    OLLAMA_API_URL,
    MLX_MODEL_FAST: join(folder, MODEL),
    MLX_RATE_LIMIT_MAX: '0',
    TANDEM_MLX_FAULTS: faults,
  };
  app = await startApp({ env });
  ui = await connect(app.ready.web);
});

afterAll(async () => {
  await app?.stop();
  await app?.remove();
  await rm(folder, { recursive: true, force: true });
});

const stats = async () => (await (await fetch(`${app.ready.gateway}/queue/stats`)).json()) as QueueStats;

interface Sending {
  id: string;
  client?: string;
  priority?: string;
  tokens?: number;
  stream?: boolean;
  signal?: AbortSignal;
}

/** Resolves when the answer begins. */
function open({ id, client = 'test', priority = 'medium', tokens = 1, ...more }: Sending): Promise<Response> {
  return fetch(`${app.ready.gateway}/api/chat`, {
    method: 'POST',
    headers: { 'X-Request-Id': id, 'X-Request-Priority': priority, 'User-Agent': client },
    body: JSON.stringify({
      model: `mlx/${MODEL}`,
      stream: more.stream ?? false,
      messages: [{ role: 'user', content: 'go on' }],
      options: { num_predict: tokens },
    }),
    signal: more.signal ?? null,
  });
}

async function outcomeOf(response: Response) {
  const lines = (await response.text()).trim().split('\n');
  const last = JSON.parse(lines.at(-1) ?? '{}') as { code?: string; done?: boolean };
  return { status: response.status, retryAfter: Number(response.headers.get('retry-after')), ...last };
}

const send = async (sending: Sending) => outcomeOf(await open(sending));

/** A request whose answer has begun; it occupies the slot until `leave` removes it from the queue. */
async function occupy(): Promise<{ ended: ReturnType<typeof outcomeOf>; leave(): Promise<void> }> {
  const answer = await open({ id: 'occupant', client: 'occupant', tokens: 1900, stream: true });
  await writeFile(join(folder, GATE), '');
  return {
    ended: outcomeOf(answer),
    async leave() {
      await ui.value('queueCancel', { id: 'occupant' });
      await rm(join(folder, GATE));
    },
  };
}

async function expectSettled(): Promise<void> {
  await until(async () => (await stats()).by_backend.mlx?.draining === 0, 'the slot drained');
  const s = await stats();
  expect([s.depth, s.running, s.replaying]).toEqual([0, 0, 0]);
  expect(s.accepted).toBe(s.done + s.failed + s.cancelled);
  expect(s.received).toBe(s.accepted + s.rejected);
}

describe('the queue', () => {
  it('lets the user cancel waiting and running requests, from the gateway and from the chat', async () => {
    const occupant = await occupy();
    const waiting = send({ id: 'waiting', priority: 'low' });
    const { chatId, answerId } = await ui.value('chatSend', {
      chatId: null,
      text: 'hello',
      target: { kind: 'auto' },
    });
    const entries = await until(async () => {
      const list = (await ui.snapshot()).queue.entries;
      return list.length === 3 && list.every((entry) => entry.state === 'running' || entry.position) && list;
    }, 'three in the queue');
    expect(entries.map(({ id, state, position }) => [id, state, position])).toEqual([
      ['occupant', 'running', null],
      [answerId, 'waiting', 1],
      ['waiting', 'waiting', 2],
    ]);
    expect(entries[2]?.etaMs).toBeGreaterThan(0);
    await ui.value('queueCancel', { id: 'waiting' });
    await ui.value('queueCancel', { id: answerId });
    await occupant.leave();
    expect(await waiting).toMatchObject({ status: 499, code: 'cancelled' });
    // It had begun: the stream ends with the error's frame.
    expect(await occupant.ended).toMatchObject({ status: 200, code: 'cancelled' });
    const { messages } = await ui.value('chatOpen', { chatId });
    expect(messages.find(({ id }) => id === answerId)).toMatchObject({ status: 'stopped' });
    expect(await ui.call('queueCancel', { id: 'waiting' })).toMatchObject({
      ok: false,
      error: { code: 'not_found' },
    });
    await expectSettled();
  });

  it('serves a second client between the requests of a busy one, and high priority before both', async () => {
    const occupant = await occupy();
    const order: string[] = [];
    const note = async (sending: Sending) => {
      await send(sending);
      order.push(sending.id);
    };
    const flood = Array.from({ length: 40 }, (_, n) => note({ id: `flood${n}`, client: 'flood' }));
    await until(async () => (await stats()).depth === 40, 'the flood in the queue');
    const guests = [0, 1].map((n) => note({ id: `guest${n}`, client: 'guest' }));
    await until(async () => (await stats()).depth === 42, 'the guests in the queue');
    const urgent = note({ id: 'urgent', client: 'flood', priority: 'high' });
    await until(async () => (await stats()).depth === 43, 'all in the queue');
    await occupant.leave();
    await Promise.all([occupant.ended, urgent, ...flood, ...guests]);
    expect(order[0]).toBe('urgent');
    expect(order.slice(1, 5).filter((id) => id.startsWith('guest'))).toEqual(['guest0', 'guest1']);
    await expectSettled();
  });

  it('rejects a crowd beyond its limit with a retry time, and continues to serve the others', async () => {
    const occupant = await occupy();
    const before = await stats();
    const leave = new AbortController();
    const refused: Awaited<ReturnType<typeof send>>[] = [];
    const arrive = async (n: number) => {
      const sending = { id: `crowd${n}`, client: 'crowd', priority: 'low', signal: leave.signal };
      const outcome = await send(sending).catch((error) => {
        if (!leave.signal.aborted) throw error;
      });
      if (outcome && outcome.status !== 200) refused.push(outcome);
    };
    const crowd: Promise<void>[] = [];
    while (crowd.length < CROWD) {
      for (let n = 0; n < GROUP; n += 1) crowd.push(arrive(crowd.length));
      await until(async () => (await stats()).received === before.received + crowd.length, 'the crowd there');
    }
    const { rejected, depth } = await stats();
    expect(depth).toBeLessThanOrEqual(1800);
    expect(rejected - before.rejected).toBeGreaterThan(0);
    await until(async () => refused.length === rejected - before.rejected, 'the rest refused');
    for (const { status, code, retryAfter } of refused) {
      expect({ status, code }).toEqual({ status: 503, code: 'queue_full' });
      expect(retryAfter).toBeGreaterThan(0);
    }
    const guest = send({ id: 'guest', client: 'guest', priority: 'high' });
    await occupant.leave();
    await occupant.ended;
    expect(await guest).toMatchObject({ status: 200, done: true });
    // A client that disconnects leaves the queue at once and delays no other.
    leave.abort();
    await Promise.all(crowd);
    await until(async () => (await stats()).depth === 0, 'the crowd gone');
    await expectSettled();
  });
});
