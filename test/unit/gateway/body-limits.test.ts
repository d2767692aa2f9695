import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BodyBudget } from '../../../src/main/gateway/body-budget';
import { JsonMeter } from '../../../src/main/gateway/json-meter';
import { postJson, type Running, startGateway } from '../../support/gateway-fixture';
import { answerOf, ScriptedDispatcher } from '../../support/scripted-dispatcher';
import { seeded } from '../../support/seeded';

const MB = 1024 * 1024;

describe('bodies of waiting requests', () => {
  let running: Running;
  let dispatcher: ScriptedDispatcher;
  const release = Promise.withResolvers<void>();
  beforeEach(async () => {
    dispatcher = new ScriptedDispatcher([{ type: 'wait', until: release.promise }, ...answerOf('ok')]);
    running = await startGateway(dispatcher);
  });
  afterEach(() => running.gateway.close());

  it('are limited by bytes: a body without room gets a retry time, and fits later', async () => {
    const body = { model: 'auto', messages: [{ role: 'user', content: 'x'.repeat(20 * MB) }] };
    const text = JSON.stringify(body);
    const statuses: number[] = [];
    const all = Array.from({ length: 12 }, async () => {
      const answer = await postJson(`${running.url}/api/chat`, text);
      if (statuses.push(answer.status) === 9) release.resolve();
      if (answer.status === 503) {
        expect(answer.headers.get('retry-after')).toBe('5');
        expect(await answer.json()).toMatchObject({ code: 'queue_full' });
      } else await answer.text();
    });
    await Promise.all(all);
    expect(statuses.sort()).toEqual([...Array(3).fill(200), ...Array(9).fill(503)]);
    expect((await postJson(`${running.url}/api/chat`, text)).status).toBe(200);
  });

  it('count also without an announced length', async () => {
    const part = Buffer.alloc(MB, 'x');
    const body = async function* () {
      for (let sent = 0; sent < 40; sent += 1) yield part;
    };
    const sent = { method: 'POST', body: body(), duplex: 'half' } as unknown as RequestInit;
    const answer = await fetch(`${running.url}/api/chat`, sent);
    expect(answer.status).toBe(413);
  });

  it.each([
    [
      'wrong messages',
      JSON.stringify({ messages: Array(120_000).fill({ role: 'x' }) }),
      'over 100,000 values',
    ],
    ['lists in lists', `${'['.repeat(5_000)}${']'.repeat(5_000)}`, 'nested over 200 levels'],
    ['lists next to lists', `[${'[],'.repeat(5_000_000)}[]]`, 'over 100,000 values'],
    [
      'calls nested too deep',
      `{"model":"auto","messages":[{"role":"assistant","tool_calls":[${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}]}]}`,
      'nested over 200 levels',
    ],
  ])('%s are rejected before they are parsed', async (_name, body, words) => {
    const answer = await postJson(`${running.url}/api/chat`, body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 'bad_request', error: expect.stringContaining(words) });
    expect(dispatcher.requests).toEqual([]);
  });

  it('are checked up to the first wrong message', async () => {
    const messages = [{ role: 'user', content: 'a' }, { role: 'x' }, ...Array(20_000).fill({ role: 1 })];
    const answer = await postJson(`${running.url}/api/chat`, { model: 'auto', messages });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: expect.stringMatching(/^messages\.1\.role: /) });
  });
});

describe('BodyBudget', () => {
  it('counts per client and in total, until the request has been answered', () => {
    const budget = new BodyBudget({ client: 10, total: 15 });
    const first = budget.hold('a');
    first.add(8);
    expect(() => budget.hold('a').add(3)).toThrow('your requests hold');
    const other = budget.hold('b');
    other.add(7);
    expect(() => budget.hold('c').add(1)).toThrow('all requests hold');
    first.release();
    first.release();
    budget.hold('c').add(8);
    expect(() => other.add(1)).toThrow('all requests hold');
  });
});

describe('JsonMeter', () => {
  it('counts the same values wherever the text is split', () => {
    const random = seeded(7);
    const texts = ['"', '\\', '\\\\"', '[', '{', ',', 'é', '😀', 'plain'];
    const value = (depth: number): unknown => {
      const pick = random();
      if (depth > 4 || pick < 0.5) return texts[Math.floor(random() * texts.length)];
      if (pick < 0.75) return Array.from({ length: Math.floor(random() * 4) }, () => value(depth + 1));
      return Object.fromEntries([['a"\\', value(depth + 1)]]);
    };
    for (let round = 0; round < 200; round += 1) {
      // Text with all kinds of quotes, then as many values as just fit.
      const head = JSON.stringify(Array.from({ length: 50 }, () => value(0)));
      const counted = structureOf(JSON.parse(head));
      const tail = `[${'1,'.repeat(99_999 - counted)}`;
      const bytes = Buffer.from(`${head}${tail}`);
      const meter = new JsonMeter();
      for (let at = 0; at < bytes.length; ) {
        const end = at + 1 + Math.floor(random() * (at < head.length ? 5 : 60_000));
        meter.feed(bytes.subarray(at, end));
        at = end;
      }
      expect(() => meter.feed(Buffer.from(','))).toThrow('over 100,000 values');
    }
  });
});

/** Counts opening brackets and commas, as the meter does. */
function structureOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const items = Object.values(value);
  return 1 + Math.max(0, items.length - 1) + items.reduce((sum: number, item) => sum + structureOf(item), 0);
}
