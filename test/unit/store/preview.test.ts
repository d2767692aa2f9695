import { describe, expect, it } from 'vitest';
import { previewLine } from '../../../src/main/store/preview';

describe('previewLine', () => {
  it.each([
    ['## Plan\n\n- **one** item\n- [a link](https://example.org/a_(b))', 'Plan one item a link'],
    ['```python\nprint(a_b)\n```\nThat `works`.', 'print(a_b) That works.'],
    ['| a | b |\n|---|---|\n| 1 | 2 |', 'a · b 1 · 2'],
    ['> *quoted* ~~gone~~ snake_case 2 * 3', 'quoted gone snake_case 2 * 3'],
    ['So \\(x_1\\) and \\*no\\*', 'So x_1 and *no*'],
    ['</think>\n\nHello', 'Hello'],
    ['<think>still at it', ''],
    ['Vec<T> and 3~5', 'Vec<T> and 3~5'],
  ])('%j', (text, expected) => {
    expect(previewLine(text)).toBe(expected);
  });
});
