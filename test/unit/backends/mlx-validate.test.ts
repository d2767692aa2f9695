import { describe, expect, test } from 'vitest';
import type { BackendRequest } from '../../../src/main/backends/backend';
import { type ModelFacts, validate } from '../../../src/main/backends/dialects/openai/validate';

const facts: ModelFacts = { vocabSize: 3072, contextLength: 1024 };

function request(change: Record<string, unknown>, sampling: Record<string, unknown> = {}): BackendRequest {
  return {
    id: 'r',
    model: 'm',
    messages: [{ role: 'user', content: 'hi' }],
    ...change,
    sampling,
  } as unknown as BackendRequest;
}

/** Requests that kill a bare server, or make its answer empty. field | value */
const REFUSED: [string, Record<string, unknown>, Record<string, unknown>?][] = [
  ['stop', {}, { stop: 5 }],
  ['stop', {}, { stop: true }],
  ['stop', {}, { stop: [5] }],
  ['stop', {}, { stop: [null] }],
  ['min_p', {}, { minP: Number.NaN }],
  ['min_p', {}, { minP: 2 }],
  ['temperature', {}, { temperature: -1 }],
  ['temperature', {}, { temperature: Number.POSITIVE_INFINITY }],
  ['temperature', {}, { temperature: 'hot' }],
  ['top_p', {}, { topP: 1.5 }],
  ['top_k', {}, { topK: 1.5 }],
  ['seed', {}, { seed: -2 }],
  ['seed', {}, { seed: 2 ** 65 }],
  ['seed', {}, { seed: 1.5 }],
  ['repeat_penalty', {}, { repeatPenalty: -1 }],
  ['max_tokens', {}, { maxTokens: 2.5 }],
  ['prompt', { rawPrompt: '' }],
  ['prompt', { rawPrompt: ' \n\u0000\u200b' }],
  ['prompt', { rawPrompt: ['a', 'b'] }],
  ['messages[0].content', { messages: [{ role: 'user', content: 5 }] }],
  ['messages[0].role', { messages: [{ role: 'wizard', content: 'hi' }] }],
  ['messages', { messages: [{ role: 'user', content: 'x'.repeat(100_000) }] }],
  ['tools', { tools: [{ name: 'f' }] }],
  ['images', { messages: [{ role: 'user', content: [{ type: 'image', data: 'aGk=' }] }] }],
  ['format', { format: { type: 'json' } }],
];

describe('input that would crash the server', () => {
  test.each(REFUSED)('%s: %j %j is rejected by name', (field, change, sampling) => {
    expect(() => validate(request(change, sampling), facts)).toThrow(
      expect.objectContaining({ details: { field } }),
    );
  });

  /** requested | sent */
  const LOWERED: [Record<string, unknown>, Record<string, unknown>][] = [
    [{ topK: 3072 }, { topK: 3071 }],
    [{ topK: 1_000_000 }, { topK: 3071 }],
    [{ topK: 40 }, { topK: 40 }],
    [{ topK: 0 }, { topK: 0 }],
    [{ topK: -1 }, { topK: 0 }],
    [{ maxTokens: 1_000_000_000 }, { maxTokens: 1024 }],
    [{ maxTokens: 0 }, { maxTokens: 1024 }],
    [{ maxTokens: -1 }, { maxTokens: 1024 }],
    [{}, { maxTokens: 1024 }],
    [{ stop: ['', 'end'] }, { stop: ['end'] }],
  ];
  test.each(LOWERED)('%j is sent as %j', (asked, sent) => {
    expect(validate(request({}, asked), facts).sampling).toMatchObject(sent);
  });

  test('a random seed is left out', () => {
    expect(validate(request({}, { seed: -1 }), facts).sampling).not.toHaveProperty('seed');
  });

  test('stop words that are all empty are left out', () => {
    expect(validate(request({}, { stop: [''] }), facts).sampling).not.toHaveProperty('stop');
  });

  test('half a surrogate pair does not reach the server', () => {
    const safe = validate(request({ messages: [{ role: 'user', content: 'a\ud800b' }] }), facts);
    expect(safe.messages[0]?.content).toBe('a\ufffdb');
  });

  test('an unknown model is assumed small in vocabulary and long in context', () => {
    const { sampling } = validate(request({}, { topK: 5000 }), { vocabSize: null, contextLength: null });
    expect(sampling).toMatchObject({ topK: 1023, maxTokens: 4096 });
  });

  test('a plain request passes unchanged', () => {
    const sampling = {
      temperature: 0.7,
      topP: 0.9,
      topK: 40,
      minP: 0.05,
      seed: 42,
      repeatPenalty: 1.1,
      maxTokens: 100,
    };
    expect(validate(request({}, sampling), facts)).toEqual({
      messages: [{ role: 'user', content: 'hi' }],
      rawPrompt: null,
      sampling,
      think: null,
    });
  });
});
