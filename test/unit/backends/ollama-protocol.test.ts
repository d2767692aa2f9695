import { describe, expect, test } from 'vitest';
import type { BackendRequest } from '../../../src/main/backends/backend';
import { NdjsonReader } from '../../../src/main/backends/ollama/protocol';
import { toOllamaCall } from '../../../src/main/backends/ollama/request';
import type { CompletionChunk } from '../../../src/shared/completion';

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
const say = (content: string) => line({ model: 'm', message: { role: 'assistant', content }, done: false });
const DONE = {
  model: 'm',
  message: { role: 'assistant', content: '' },
  done: true,
  done_reason: 'stop',
  load_duration: 2_000_000,
  prompt_eval_count: 15,
  prompt_eval_duration: 1_500_000,
  eval_count: 5,
  eval_duration: 7_000_000,
};

function read(text: string, size = 1_000_000): CompletionChunk[] {
  const bytes = new TextEncoder().encode(text);
  const reader = new NdjsonReader();
  const chunks: CompletionChunk[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(...reader.push(bytes.subarray(at, at + size)));
  chunks.push(...reader.finish());
  return chunks;
}

describe('lines of Ollama', () => {
  test.each([1, 2, 5, 33, 1_000_000])('an answer in pieces of %i bytes', (size) => {
    expect(read(`${say('Привет')}${say(' 👋')}${line(DONE)}`, size)).toEqual([
      { type: 'text', text: 'Привет' },
      { type: 'text', text: ' 👋' },
      {
        type: 'end',
        end: { reason: 'stop', promptTokens: 15, completionTokens: 5, loadMs: 2, promptMs: 1.5, evalMs: 7 },
      },
    ]);
  });

  test('tokens of the prompt that were cached, where the server reports them', () => {
    expect(read(line({ ...DONE, prompt_eval_cached_count: 12 }))).toMatchObject([
      { type: 'end', end: { promptTokens: 15, cachedTokens: 12 } },
    ]);
  });

  test('thinking, tool calls and raw answers', () => {
    const calls = [{ function: { name: 'f', arguments: {} } }];
    const text = [
      line({ message: { role: 'assistant', content: '', thinking: 'hm' }, done: false }),
      line({ message: { role: 'assistant', content: '', tool_calls: calls }, done: false }),
      line({ response: 'raw', done: false }),
      line(DONE),
    ].join('');
    expect(read(text)).toMatchObject([
      { type: 'thinking', text: 'hm' },
      { type: 'tool_call', index: 0, name: 'f', arguments: {} },
      { type: 'text', text: 'raw' },
      { type: 'end', end: { reason: 'tool_calls' } },
    ]);
  });

  test.each([
    ['{"a":1}', { a: 1 }],
    ['', {}],
  ])('arguments that come as the text %j are a whole call', (text, given) => {
    const calls = [{ function: { name: 'f', arguments: text } }, { function: { name: 'g' } }];
    expect(read(line({ message: { tool_calls: calls }, done: false }) + line(DONE))).toMatchObject([
      { type: 'tool_call', index: 0, name: 'f', arguments: given },
      { type: 'tool_call', index: 1, name: 'g', arguments: {} },
      { type: 'end' },
    ]);
  });

  test('loading is one object without a line end', () => {
    expect(read(JSON.stringify({ model: 'm', done: true, done_reason: 'load' }))).toEqual([
      { type: 'end', end: { reason: 'load', promptTokens: 0, completionTokens: 0 } },
    ]);
  });

  test.each([
    ['no frame', ''],
    ['frames without done (a dead server, or its guard against repetition)', say('half')],
    ['an error line', `${say('half')}${line({ error: 'unexpected EOF' })}`],
    ['half a line', say('half').slice(0, 20)],
  ])('%s is a failure', (_name, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'backend_failed' }));
  });
});

describe('request', () => {
  const base: BackendRequest = {
    id: 'r',
    model: 'm',
    messages: [{ role: 'user', content: 'hi' }],
    sampling: {},
  };

  /** The server must not cut what does not fit. */
  const WHOLE = { truncate: false };

  test('adds nothing that the client did not request, but that nothing is cut', () => {
    const body = { ...WHOLE, model: 'm', stream: true, messages: base.messages };
    expect(toOllamaCall(base)).toEqual({ path: '/api/chat', body });
    // Somebody else's server would load its model again.
    expect(toOllamaCall(base, true)).toEqual({ path: '/api/chat', body: { ...body, shift: false } });
  });

  test('always has the pinned context, whatever the client asks for, also to load a model or with a raw prompt', () => {
    const asked = { ...base, pinnedContext: 8192, contextTokens: 2048 };
    const options = [asked, { ...asked, messages: [] }, { ...asked, rawPrompt: 'Once' }].map(
      (request) => toOllamaCall(request).body.options,
    );
    expect(options).toEqual(Array(3).fill({ num_ctx: 8192 }));
    expect(toOllamaCall({ ...base, contextTokens: 2048 }).body.options).toEqual({ num_ctx: 2048 });
  });

  test.each([0, -1, -2])('a limit of %i, which means no limit to Ollama, is not sent', (limit) => {
    const { body } = toOllamaCall({
      ...base,
      sampling: { maxTokens: limit },
      dialect: 'ollama',
      extra: { options: { num_predict: limit } },
    });
    expect(body).not.toHaveProperty('options');
  });

  test('sampling has neutral names, other options pass', () => {
    const { body } = toOllamaCall({
      ...base,
      sampling: { temperature: 0, maxTokens: 9, repeatPenalty: 1.2, stop: ['x'] },
      dialect: 'ollama',
      contextTokens: 4096,
      extra: { options: { mirostat: 1 } },
      keepAlive: '5m',
      format: { type: 'json' },
      think: true,
    });
    expect(body).toMatchObject({
      options: {
        temperature: 0,
        num_predict: 9,
        repeat_penalty: 1.2,
        stop: ['x'],
        num_ctx: 4096,
        mirostat: 1,
      },
      keep_alive: '5m',
      format: 'json',
      think: true,
    });
  });

  test('without tools if none may be called, and refused if one must be', () => {
    const tools = [{ name: 'f' }];
    expect(toOllamaCall({ ...base, tools, toolChoice: 'auto' }).body).toHaveProperty('tools');
    expect(toOllamaCall({ ...base, tools, toolChoice: 'none' }).body).not.toHaveProperty('tools');
    for (const toolChoice of ['required', { name: 'f' }] as const) {
      expect(() => toOllamaCall({ ...base, tools, toolChoice })).toThrow(
        expect.objectContaining({ code: 'unsupported', details: { field: 'tool_choice' } }),
      );
    }
  });

  test('thoughts and texts of one message are joined', () => {
    const { body } = toOllamaCall({
      ...base,
      messages: [
        {
          role: 'assistant',
          content: [
            { type: 'thinking', text: 'a' },
            { type: 'thinking', text: 'b' },
            { type: 'text', text: 'c' },
            { type: 'text', text: 'd' },
          ],
        },
      ],
    });
    expect(body.messages).toEqual([{ role: 'assistant', content: 'cd', thinking: 'ab' }]);
  });

  test.each([
    [null],
    ['text'],
    [{}],
    [{ function: { name: 5 } }],
    [{ function: { name: 'f', arguments: 5 } }],
    [{ function: { name: 'f', arguments: [] } }],
    [{ function: { name: 'f', arguments: '{"a":' } }],
    [{ function: { name: 'f', arguments: '[]' } }],
  ])('a tool call %j cannot be read', (call) => {
    const frame = line({ message: { role: 'assistant', content: '', tool_calls: [call] }, done: false });
    expect(() => read(frame)).toThrow(expect.objectContaining({ code: 'backend_failed' }));
  });

  test('a raw prompt goes to generate', () => {
    expect(toOllamaCall({ ...base, rawPrompt: 'Once' })).toEqual({
      path: '/api/generate',
      body: { ...WHOLE, model: 'm', stream: true, prompt: 'Once', raw: true },
    });
  });
});
