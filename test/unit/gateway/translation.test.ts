import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readChat, readGenerate } from '../../../src/main/gateway/dialects/ollama-request';
import { clientOf, isRateLimited } from '../../../src/main/gateway/headers';
import { parseModelChoice } from '../../../src/main/gateway/model-choice';
import { MLX_API } from '../../../src/main/gateway/surface';
import { withName } from '../../../src/main/models/model-names';
import { INSTANCES } from '../../support/backends';
import { postJson, type Running, startGateway } from '../../support/gateway-fixture';
import { answerOf, ScriptedDispatcher } from '../../support/scripted-dispatcher';

const rules = {
  modelOptional: false,
  defaultCategory: undefined,
  firstBackend: undefined,
  backends: INSTANCES,
  named: () => [],
};

describe('model names', () => {
  it.each([
    ['auto', { kind: 'auto' }],
    ['auto:latest', { kind: 'auto' }],
    ['auto:coding', { kind: 'auto', category: 'coding' }],
    ['auto:code', { kind: 'auto', category: 'coding' }],
    ['qwen2.5:3b', { kind: 'named', name: 'qwen2.5:3b' }],
    ['mlx/org/phi-4bit', { kind: 'named', name: 'org/phi-4bit', backend: 'mlx' }],
    ['ollama/qwen2.5:3b', { kind: 'named', name: 'qwen2.5:3b', backend: 'ollama' }],
    ['ollama/auto', { kind: 'backend', backend: 'ollama' }],
    ['hf.co/org/name:Q4_K_M', { kind: 'named', name: 'hf.co/org/name:Q4_K_M' }],
    ['модель', { kind: 'named', name: 'модель' }],
    ['हिन्दी', { kind: 'named', name: 'हिन्दी' }],
    ['cafe\u0301', { kind: 'named', name: 'cafe\u0301' }],
  ])('%s', (text, choice) => {
    expect(parseModelChoice(text, rules)).toEqual(choice);
  });

  it.each(['..', 'a/../b', '/abs', 'a//b', 'a$(b)', 'a|b', '`a`', 'mlx/', 'x'.repeat(301)])(
    'refuses %s',
    (text) => {
      expect(() => parseModelChoice(text, rules)).toThrow(
        expect.objectContaining({ code: 'bad_model_name' }),
      );
    },
  );
});

describe('listed names', () => {
  const listed = [
    { backend: 'mlx', name: 'a,b' },
    { backend: 'mlx', name: 'a;b $(c)' },
    { backend: 'mlx', name: 'ollama/odd' },
    { backend: 'ollama', name: 'twice' },
  ];
  const known = { backends: INSTANCES, named: (name: string) => withName(listed, name) };
  const parsed = (text: string) => parseModelChoice(text, known);

  it.each([
    ['a,b', { kind: 'named', name: 'a,b' }],
    [' a;b $(c) ', { kind: 'named', name: 'a;b $(c)' }],
    ['mlx/a,b', { kind: 'named', name: 'a,b', backend: 'mlx' }],
    ['ollama/odd', { kind: 'named', name: 'ollama/odd' }],
    ['ollama/twice', { kind: 'named', name: 'twice', backend: 'ollama' }],
  ])('are valid, whatever their form: %s', (text, choice) => {
    expect(parsed(text)).toEqual(choice);
  });

  it.each([
    ['nothing', []],
    ['also the rest of the name', [{ backend: 'microsoft', name: 'phi' }]],
  ])('mean this model, also where a backend has the id of an organisation and lists %s', (_, more) => {
    const models = [{ backend: 'mlx', name: 'microsoft/phi' }, ...more];
    const ofBackend = { backends: [{ id: 'microsoft' }], named: (name: string) => withName(models, name) };
    expect(parseModelChoice('microsoft/phi', ofBackend)).toEqual({ kind: 'named', name: 'microsoft/phi' });
    expect(parseModelChoice('microsoft/other', ofBackend)).toMatchObject({
      name: 'other',
      backend: 'microsoft',
    });
  });

  it.each(['ollama/a,b', 'a,c', 'auto:poetry'])('do not make others valid: %s', (text) => {
    expect(() => parsed(text)).toThrow();
  });
});

describe('requests', () => {
  it('splits options into neutral sampling and Ollama-only options', async () => {
    const { request } = await readChat(
      {
        model: 'auto',
        messages: [],
        options: { temperature: 0, num_predict: 5, stop: 'x', num_ctx: 64, mirostat: 1 },
      },
      rules,
    );
    expect(request.sampling).toEqual({ temperature: 0, maxTokens: 5, stop: ['x'] });
    expect(request).toMatchObject({ dialect: 'ollama', contextTokens: 64 });
    expect(request.extra).toEqual({ options: { mirostat: 1 } });
  });

  it.each([0, -5, 2.5])(
    'rejects a num_ctx of %d: Ollama would cut the prompt to nothing',
    async (num_ctx) => {
      await expect(readChat({ model: 'auto', options: { num_ctx } }, rules)).rejects.toMatchObject({
        code: 'bad_request',
        details: { field: 'num_ctx' },
      });
    },
  );

  it.each([
    [{}, undefined],
    [{ truncate: null }, undefined],
    [{ truncate: false }, undefined],
    [{ truncate: true }, true],
  ])('lets the oldest turns be left out only if the client says so: %j', async (fields, allowed) => {
    const { request } = await readChat({ model: 'auto', messages: [], ...fields }, rules);
    expect(request.mayLeaveOut).toBe(allowed);
    expect(request.extra).toBeUndefined();
  });

  it.each([0, -1, -2])('treats num_predict %i as no limit', async (limit) => {
    const { request } = await readChat({ model: 'auto', options: { num_predict: limit } }, rules);
    expect(request.sampling).toEqual({});
  });

  const call = { function: { name: 'f' } };
  it.each([
    ['20 messages of 950 calls', Array(20).fill({ role: 'assistant', tool_calls: Array(950).fill(call) })],
    ['19,019 images of one message', [{ role: 'user', images: Array(19_019).fill('QQ==') }]],
  ])('takes a turn of the event loop after every thousand items: %s', async (_, messages) => {
    let turns = 0;
    const turn = async () => {
      turns += 1;
    };
    await readChat({ model: 'auto', messages }, rules, turn);
    expect(turns).toBe(19);
  });

  it('turns a prompt with a system text into messages', () => {
    const { request } = readGenerate(
      { model: 'auto', prompt: 'hi', system: 'be brief', images: ['aGk='] },
      rules,
    );
    expect(request.messages).toEqual([
      { role: 'system', content: 'be brief' },
      {
        role: 'user',
        content: [
          { type: 'image', data: 'aGk=' },
          { type: 'text', text: 'hi' },
        ],
      },
    ]);
  });

  it('keeps a raw prompt unchanged', () => {
    const { request } = readGenerate({ model: 'auto', prompt: '<s>hi', raw: true }, rules);
    expect(request).toMatchObject({ rawPrompt: '<s>hi', messages: [{ role: 'user', content: '<s>hi' }] });
  });

  it('treats an empty prompt as a load', () => {
    const { request } = readGenerate({ model: 'auto', prompt: '', keep_alive: 0 }, rules);
    expect(request).toMatchObject({ messages: [], keepAlive: 0 });
  });
});

describe('clients', () => {
  it('are identified by address and program, which their own header can split but not escape', () => {
    const headers = { 'user-agent': 'ollama-python/0.4 (x86)' };
    expect(clientOf('::ffff:127.0.0.1', headers)).toBe('127.0.0.1 ollama-python');
    expect(clientOf('127.0.0.1', { ...headers, 'x-tandem-client': 'a' })).toBe('127.0.0.1 ollama-python#a');
    expect(clientOf('127.0.0.1', { ...headers, 'x-tandem-client': 'a b' })).toBe('127.0.0.1 ollama-python');
    expect(clientOf(undefined, {})).toBe('unknown unknown');
    for (const own of ['::1', '127.0.0.1', '127.9.9.9', '::ffff:127.0.0.1'])
      expect(clientOf(own, headers), own).toBe('127.0.0.1 ollama-python');
    expect(clientOf('::ffff:10.0.0.7', headers)).toBe('10.0.0.7 ollama-python');
  });

  it('count by address on the MLX API and off loopback, and never on the local gateway', () => {
    expect(isRateLimited('127.0.0.1', 'gateway')).toBe(false);
    expect(isRateLimited('::1', 'gateway')).toBe(false);
    expect(isRateLimited('10.0.0.7', 'gateway')).toBe(true);
    expect(isRateLimited('::1', 'mlx-api')).toBe(true);
    expect(isRateLimited(undefined, 'gateway')).toBe(true);
  });
});

describe('headers of a request', () => {
  const dispatcher = new ScriptedDispatcher(answerOf('hi'));
  let running: Running;
  beforeAll(async () => {
    running = await startGateway(dispatcher);
  });
  afterAll(() => running.gateway.close());

  it('reach the router', async () => {
    await postJson(
      `${running.url}/api/chat`,
      { model: 'auto', category: 'code', messages: [{ role: 'user', content: 'hi' }] },
      {
        'X-Request-Priority': 'Normal',
        'X-Tandem-Strict': 'true',
        'X-Request-Id': 'r-1',
        'User-Agent': 'probe/1',
      },
    );
    expect(dispatcher.requests.at(-1)).toMatchObject({
      id: 'r-1',
      priority: 'medium',
      strict: true,
      client: '127.0.0.1 probe',
      category: 'coding',
      origin: 'gateway',
    });
  });

  it('replace an unsafe id', async () => {
    const answer = await postJson(`${running.url}/api/chat`, { model: 'auto' }, { 'X-Request-Id': 'a b' });
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(dispatcher.requests.at(-1)?.id).toBe(answer.headers.get('x-request-id'));
  });
});

describe('the MLX API', () => {
  it.each([
    [{}, true, 'fast'],
    [{ category: 'default' }, true, 'fast'],
    [{ model: 'auto' }, true, 'fast'],
    [{}, false, 'general'],
    [{ category: 'coding' }, true, 'coding'],
    [{ model: 'auto:coding' }, true, 'coding'],
    [{ model: 'org/phi' }, true, undefined],
  ])('%j with only-light %s is of category %s', async (body, mlxOnlyLight, category) => {
    const dispatcher = new ScriptedDispatcher(answerOf('hi'));
    const running = await startGateway(dispatcher, { surface: MLX_API, mlxOnlyLight });
    const answer = await postJson(`${running.url}/api/generate`, { ...body, prompt: 'hi', stream: false });
    await running.gateway.close();
    expect(answer.status).toBe(200);
    expect(dispatcher.requests[0]?.category).toBe(category);
    expect(dispatcher.requests[0]?.origin).toBe('mlx-api');
  });

  it.each([
    [{ category: 'coding' }, true, { kind: 'auto' }],
    [{ category: 'coding' }, false, { kind: 'backend', backend: 'mlx' }],
    [{ model: 'auto:reasoning' }, false, { kind: 'backend', backend: 'mlx' }],
    [{}, false, { kind: 'backend', backend: 'mlx' }],
    [{ model: 'org/phi' }, false, { kind: 'named', name: 'org/phi' }],
  ])('%j with only-light %s asks for the model %j', async (body, mlxOnlyLight, model) => {
    const dispatcher = new ScriptedDispatcher(answerOf('hi'));
    const running = await startGateway(dispatcher, { surface: MLX_API, mlxOnlyLight });
    await postJson(`${running.url}/api/generate`, { ...body, prompt: 'hi', stream: false });
    await running.gateway.close();
    expect(dispatcher.requests[0]?.model).toEqual(model);
  });

  it('lists its own models only', async () => {
    const running = await startGateway(new ScriptedDispatcher(), { surface: MLX_API });
    const { models } = (await (await fetch(`${running.url}/api/tags`)).json()) as {
      models: { name: string }[];
    };
    await running.gateway.close();
    expect(models.map(({ name }) => name)).toEqual(['auto', 'org/phi']);
  });
});
