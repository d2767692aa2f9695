import { describe, expect, test } from 'vitest';
import { SseReader } from '../../../src/main/backends/dialects/openai/protocol';
import { toMlxCall } from '../../../src/main/backends/dialects/openai/validate';
import { MAX_FRAME_BYTES } from '../../../src/main/backends/dialects/stream-completion';
import type { CompletionChunk } from '../../../src/shared/completion';

function frame(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function delta(text: string | null, reason: string | null = null): string {
  return frame({
    choices: [{ index: 0, finish_reason: reason, delta: { role: 'assistant', content: text } }],
  });
}

const USAGE = frame({ choices: [], usage: { prompt_tokens: 12, completion_tokens: 3 } });
const DONE = 'data: [DONE]\n\n';

/** Reads a whole stream that arrives in pieces of `size` bytes. */
function read(text: string, size = 1_000_000): CompletionChunk[] {
  const bytes = new TextEncoder().encode(text);
  const reader = new SseReader('MLX');
  const chunks: CompletionChunk[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(...reader.push(bytes.subarray(at, at + size)));
  chunks.push(...reader.finish());
  return chunks;
}

describe('SSE of mlx_lm.server', () => {
  const answer = `: keepalive 64/100\n\n: keepalive 100/100\n\n${delta('Привет')}${delta(' 👋')}${delta(null, 'stop')}${USAGE}${DONE}`;
  const expected = [
    { type: 'prefill', done: 64, total: 100 },
    { type: 'prefill', done: 100, total: 100 },
    { type: 'text', text: 'Привет' },
    { type: 'text', text: ' 👋' },
    { type: 'end', end: { reason: 'stop', promptTokens: 12, completionTokens: 3 } },
  ];

  test.each([1, 2, 3, 7, 64, 1_000_000])('reads an answer in pieces of %i bytes', (size) => {
    expect(read(answer, size)).toEqual(expected);
  });

  test.each([
    ['a line without an end', (length: number) => `data: ${'x'.repeat(length)}`],
    ['a frame without an end', (length: number) => 'data: xxxxxxxxx\n'.repeat(length / 16)],
  ])('is refused when the server sends %s', (_what, make) => {
    const failure = expect.objectContaining({ code: 'backend_failed' });
    expect(() => read(make(2 * MAX_FRAME_BYTES), 64 * 1024)).toThrow(failure);
  });

  test('text that comes with the last frame is kept', () => {
    expect(read(`${delta('held back', 'length')}${USAGE}${DONE}`)).toMatchObject([
      { type: 'text', text: 'held back' },
      { type: 'end', end: { reason: 'length' } },
    ]);
  });

  test('reasoning is thinking, raw completions have `text`', () => {
    const thinking = frame({ choices: [{ delta: { reasoning: 'hm' }, finish_reason: null }] });
    const raw = frame({ choices: [{ text: 'abc', finish_reason: 'stop' }] });
    expect(read(`${thinking}${raw}${DONE}`).map(({ type }) => type)).toEqual(['thinking', 'text', 'end']);
  });

  test.each([
    ['nothing at all', ''],
    ['headers and progress only', ': keepalive 64/100\n\n'],
    ['half an answer', delta('half')],
    ['half a frame', delta('half').slice(0, 40)],
  ])('a stream cut after %s is a failure', (_name, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'backend_failed' }));
  });

  test('a complete answer without its last frames counts as complete', () => {
    expect(read(delta('all', 'stop')).at(-1)).toMatchObject({ type: 'end', end: { reason: 'stop' } });
  });

  test('text before a failure is kept, also when both come in one piece', () => {
    const reader = new SseReader('MLX');
    const bytes = new TextEncoder().encode(`${delta('first')}data: {nonsense\n\n`);
    const seen: CompletionChunk[] = [];
    const readAll = () => {
      for (const chunk of reader.push(bytes)) seen.push(chunk);
    };
    expect(readAll).toThrow(expect.objectContaining({ code: 'backend_failed' }));
    expect(seen).toEqual([{ type: 'text', text: 'first' }]);
  });

  test('unparsable input is a failure', () => {
    expect(() => read('data: {nonsense\n\n')).toThrow(expect.objectContaining({ code: 'backend_failed' }));
  });
});

describe('request', () => {
  const messages = [{ role: 'user' as const, content: 'hi' }];

  test('always streams, with usage, a limit and the path of the model', () => {
    const call = toMlxCall(
      { messages, rawPrompt: null, sampling: { maxTokens: 7 }, think: null },
      '/models/a',
    );
    expect(call).toEqual({
      path: '/v1/chat/completions',
      body: {
        model: '/models/a',
        max_tokens: 7,
        stream: true,
        stream_options: { include_usage: true },
        messages,
      },
    });
  });

  test('neutral names are translated to those of the server', () => {
    const sampling = {
      maxTokens: 1,
      temperature: 0,
      topP: 0.9,
      topK: 4,
      minP: 0.1,
      seed: 3,
      repeatPenalty: 1.1,
      stop: ['x'],
    };
    const { body } = toMlxCall({ messages, rawPrompt: null, sampling, think: false }, 'm');
    expect(body).toMatchObject({
      temperature: 0,
      top_p: 0.9,
      top_k: 4,
      min_p: 0.1,
      seed: 3,
      repetition_penalty: 1.1,
      stop: ['x'],
      chat_template_kwargs: { enable_thinking: false },
    });
  });

  test('a raw prompt goes without a template', () => {
    const call = toMlxCall({ messages: [], rawPrompt: 'Once', sampling: { maxTokens: 1 }, think: null }, 'm');
    expect(call.path).toBe('/v1/completions');
    expect(call.body).toMatchObject({ prompt: 'Once' });
    expect(call.body).not.toHaveProperty('messages');
  });
});
