import { describe, expect, it } from 'vitest';
import { splitBlocks } from '../../../../src/renderer/components/markdown/blocks';

const texts = (markdown: string) => splitBlocks(markdown).map((block) => block.text);

describe('splitBlocks', () => {
  it('splits at blank lines', () => {
    expect(texts('# A\n\none\ntwo\n\n\nthree')).toEqual(['# A', 'one\ntwo', 'three']);
  });

  it('keeps an indented continuation with its list item', () => {
    expect(texts('1. one\n\n   more\n\n2. two')).toEqual(['1. one\n\n   more', '2. two']);
  });

  it('keeps a listing whole, whatever it contains', () => {
    expect(splitBlocks('Look:\n```python\na = 1\n\n# b\n```\nDone')).toEqual([
      { kind: 'markdown', text: 'Look:' },
      { kind: 'code', language: 'python', text: 'a = 1\n\n# b', closed: true },
      { kind: 'markdown', text: 'Done' },
    ]);
  });

  it('closes a fence only with its own mark', () => {
    expect(splitBlocks('````md\n```\ninner\n```\n````')).toEqual([
      { kind: 'code', language: 'md', text: '```\ninner\n```', closed: true },
    ]);
    expect(splitBlocks('```js\n~~~\nx')).toEqual([
      { kind: 'code', language: 'js', text: '~~~\nx', closed: false },
    ]);
  });

  it('treats inline code as text', () => {
    expect(texts('```one line```')).toEqual(['```one line```']);
  });

  it('changes only its last block while text grows', () => {
    const text = 'Intro\n\n- a\n\n- b\n\n```js\nx\n\ny\n```\n\nEnd of it.\n\nMore';
    for (let length = 1; length < text.length; length += 1) {
      const before = texts(text.slice(0, length)).slice(0, -1);
      expect(texts(text.slice(0, length + 1)).slice(0, before.length)).toEqual(before);
    }
  });

  it('cuts an endless paragraph at sentences and loses nothing', () => {
    const sentence = 'This is one sentence of many. ';
    const blocks = texts(sentence.repeat(1_000));
    expect(blocks.length).toBeGreaterThan(4);
    expect(Math.max(...blocks.map((block) => block.length))).toBeLessThanOrEqual(2_002);
    expect(blocks.join(' ').replaceAll(/\s+/g, ' ').trim()).toBe(sentence.repeat(1_000).trim());
  });
});
