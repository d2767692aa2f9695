import { describe, expect, it } from 'vitest';
import { mendTail } from '../../../../src/renderer/components/markdown/mend-tail';

describe('mendTail', () => {
  it.each([
    ['plain words', 'plain words'],
    ['some **bold', 'some **bold**'],
    ['some **bold** and', 'some **bold** and'],
    ['some **', 'some '],
    ['a **bold words*', 'a **bold words**'],
    ['call `merge(a', 'call `merge(a`'],
    ['see [the page', 'see the page'],
    ['see [the page](https://exa', 'see the page'],
    ['see [the page](https://example.org)', 'see [the page](https://example.org)'],
    ['done **here**\nand [there', 'done **here**\nand there'],
    ['- **Item', '- **Item**'],
    ['', ''],
  ])('%s', (text, expected) => {
    expect(mendTail(text)).toBe(expected);
  });
});
