import { describe, expect, it } from 'vitest';
import { approximateTokens, fitToContext, neededTokens } from '../../../src/main/router/context';
import type { ChatMessage } from '../../../src/shared/completion';

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
const system = (content: string): ChatMessage => ({ role: 'system', content });
const words = (count: number) => 'word '.repeat(count);
const texts = (messages: ChatMessage[]) => messages.map(({ content }) => content);

describe('approximateTokens', () => {
  it('overestimates in both languages', () => {
    expect(approximateTokens('The quick brown fox jumps over the lazy dog')).toBeGreaterThanOrEqual(9);
    expect(approximateTokens('Съешь же ещё этих мягких французских булок')).toBeGreaterThanOrEqual(14);
    expect(approximateTokens('')).toBe(0);
  });

  it('counts the space for the answer, tools and pictures', () => {
    const plain = neededTokens({ messages: [user('hi')], sampling: { maxTokens: 100 } });
    expect(plain).toBeLessThan(120);
    const picture: ChatMessage = { role: 'user', content: [{ type: 'image', data: 'x' }] };
    expect(neededTokens({ messages: [picture], sampling: { maxTokens: 100 } })).toBeGreaterThan(plain + 500);
    const tools = [{ name: 'x'.repeat(400) }];
    expect(neededTokens({ messages: [user('hi')], tools, sampling: { maxTokens: 100 } })).toBeGreaterThan(
      plain + 100,
    );
  });
});

describe('a long conversation', () => {
  it('is estimated from samples, close to the exact count', () => {
    const text = 'The quick brown fox. Съешь же ещё этих булок. '.repeat(30_000);
    const counted = Buffer.byteLength(text) / 3.6;
    const found = neededTokens({ messages: [user(text)], sampling: { maxTokens: 0 } });
    expect(Math.abs(found / counted - 1)).toBeLessThan(0.1);
  });
});

describe('fitToContext', () => {
  const sampling = { maxTokens: 100 };

  it('keeps all that fits, and all when the context is unknown', () => {
    const messages = [user(words(100)), assistant('a'), user('b')];
    expect(fitToContext({ messages, sampling }, 4096)).toEqual({ messages, droppedTurns: 0 });
    expect(fitToContext({ messages: [user(words(9000))], sampling }, null).droppedTurns).toBe(0);
  });

  it('leaves out whole turns, the oldest first, and never the system prompt', () => {
    const messages = [
      system('s'),
      user(words(300)),
      assistant('one'),
      user(words(50)),
      assistant('two'),
      user('now'),
    ];
    const fitted = fitToContext({ messages, sampling }, 400);
    expect(fitted.droppedTurns).toBe(1);
    expect(texts(fitted.messages)).toEqual(['s', words(50), 'two', 'now']);
  });

  it('never cuts the last message, however long it is', () => {
    const messages = [user('old'), assistant('x'), user(words(5000))];
    expect(texts(fitToContext({ messages, sampling }, 400).messages)).toEqual([words(5000)]);
  });
});
