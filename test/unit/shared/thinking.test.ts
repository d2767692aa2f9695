import { describe, expect, it } from 'vitest';
import { emptyMeta } from '../../../src/shared/empty-meta';
import { saidText, splitThinking } from '../../../src/shared/thinking';

describe('splitThinking', () => {
  it.each([
    ['Hello', '', true, 'Hello'],
    ['<think>\nhm\n</think>\n\nHello', 'hm', true, 'Hello'],
    ['\n<think>hm', 'hm', false, ''],
    ['<thi', '', false, ''],
    ['hm, so\n</think>\n\nHello', 'hm, so', true, 'Hello'],
    ['Models write `</think>` then.', '', true, 'Models write `</think>` then.'],
    ['Like so:\n<think>\na\n</think>\n', '', true, 'Like so:\n<think>\na\n</think>\n'],
  ])('%j', (text, thinking, closed, said) => {
    expect(splitThinking(text)).toEqual({ thinking, closed, said });
  });
});

describe('saidText', () => {
  it('returns the answer text of each server', () => {
    const first = '<think>a</think>One';
    const breaks = [{ at: first.length, from: 'mlx' as const, to: 'ollama' as const, reason: 'mlx-exited' }];
    const answer = { text: `${first}<think>b</think> Two`, meta: { ...emptyMeta(), breaks } };
    expect(saidText(answer)).toBe('OneTwo');
  });
});
