import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, startGateway } from '../../support/gateway-fixture';
import { answerOf, ScriptedDispatcher } from '../../support/scripted-dispatcher';

/** The same bodies through a gateway that reads them at once and one that reads them in slices. */
describe('a body has the same outcome, read at once or in slices', () => {
  const dispatchers = [
    new ScriptedDispatcher(answerOf('ok')),
    new ScriptedDispatcher(answerOf('ok')),
  ] as const;
  let ways: Running[];
  beforeAll(async () => {
    const never = { bytes: Number.POSITIVE_INFINITY, values: Number.POSITIVE_INFINITY };
    ways = await Promise.all([
      startGateway(dispatchers[0], { largeBody: never }),
      startGateway(dispatchers[1], { largeBody: { bytes: 0, values: 0 } }),
    ]);
  });
  afterAll(() => Promise.all(ways.map(({ gateway }) => gateway.close())));

  const user = (content: unknown, more: object = {}) => ({ role: 'user', content, ...more });
  const tool = (a: unknown = 1) => ({ type: 'function', function: { name: 'f', parameters: { a } } });
  const chat = (messages: unknown, more: object = {}) =>
    JSON.stringify({ model: 'auto', stream: false, messages, ...more });
  const BODIES: Record<string, string | Buffer> = {
    nothing: '',
    blanks: ' \n',
    null: 'null',
    'a list': '[]',
    'a text': '"x"',
    'half of it': '{"model":"auto","messages":[',
    'a byte too many': `${chat([user('a')])}}`,
    'a control character in a text': '{"model":"auto","messages":[{"role":"user","content":"a\nb"}]}',
    'bytes that are no UTF-8': Buffer.concat([
      Buffer.from('{"model":"auto","messages":[{"role":"user","content":"a'),
      Buffer.from([0xff, 0xc3, 0x28, 0xe2, 0x82]),
      Buffer.from('"}]}'),
    ]),
    'a mark of byte order': `\ufeff${chat([user('a')])}`,
    'a plain chat': chat([user('a')]),
    'a long text of all sorts': chat([user('word ж😀"\\\n'.repeat(100_000))]),
    'many messages': chat(Array.from({ length: 3_500 }, (_, index) => user(`text ${index}`))),
    'the first of many wrong': chat([{ role: 'x' }, ...Array(2_000).fill(user(1))]),
    'the last of many wrong': chat([...Array(2_500).fill(user('a')), user('a', { images: ['a', 1] })]),
    'a wrong message and wrong tools': chat([user(1)], { tools: 1 }),
    'wrong tools': chat([user('a')], { tools: 'x' }),
    'messages that are no list': chat('x', { tools: 'x' }),
    'a wrong model and wrong messages': JSON.stringify({ model: 1, messages: [1] }),
    'wrong messages without a model': JSON.stringify({ messages: [1] }),
    'no model': JSON.stringify({ messages: [user('a')] }),
    logprobs: chat([user('a')], { logprobs: true }),
    'wrong stop words': chat([user('a')], { options: { stop: ['a', 1] } }),
    'too many options': chat([user('a')], {
      options: Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`o${index}`, 1])),
    }),
    'tools and calls': chat(
      [
        {
          role: 'assistant',
          tool_calls: [{ function: { name: 'f', arguments: { a: [1, null, -0, 1e-7] } } }],
        },
      ],
      { tools: [tool()], options: { num_ctx: 5, stop: ['x'] }, keep_alive: '5m' },
    ),
    'keys twice and of the prototype':
      '{"model":"auto","stream":true,"stream":false,"options":{"__proto__":{"a":1},"constructor":2,"b":1,"b":2},"messages":[]}',
    'nested too deep': `{"a":${'['.repeat(300)}${']'.repeat(300)}}`,
    'nested as deep as may be': chat([user('a')], {
      tools: [tool(JSON.parse(`${'['.repeat(190)}1${']'.repeat(190)}`))],
    }),
    'too many values': chat(Array(60_000).fill({ role: 'user', content: '' })),
    'as many values as may be': chat([user('a')], { tools: Array(16_000).fill(tool()) }),
  };

  it.each(Object.entries(BODIES))('%s', async (_name, body) => {
    const outcomes = [];
    for (const [index, { url }] of ways.entries()) {
      const { requests } = dispatchers[index as 0 | 1];
      requests.length = 0;
      const answer = await fetch(`${url}/api/chat`, { method: 'POST', body: Buffer.from(body as string) });
      const said = (await answer.text()).replaceAll(/"(created_at|request_id)":"[^"]*"/g, '');
      outcomes.push({
        status: answer.status,
        said: said.replaceAll(/_duration":\d+/g, ''),
        asked: asked(requests[0]),
      });
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  });
});

function asked(request: object | undefined): string | undefined {
  const text = request && JSON.stringify({ ...request, id: null });
  return text && text.length > 2_000 ? createHash('sha256').update(text).digest('hex') : text;
}
