import { describe, expect, it } from 'vitest';
import { mathMarks } from '../../../../src/renderer/components/markdown/math-marks';

const whole = (text: string) => mathMarks(text, false).text;
const growing = (text: string) => mathMarks(text, true).text;

describe('mathMarks', () => {
  it.each([
    ['so \\(a_1 * b_1\\) is', 'so $$ a_1 * b_1 $$ is'],
    ['so $a_1$ is', 'so $$ a_1 $$ is'],
    ['\\[x = 1\\]', '$$$ x = 1 $$$'],
    ['$$x = 1$$', '$$$ x = 1 $$$'],
    ['$$\nx\n+ y % note\n= z\n$$', '$$$ x + y = z $$$'],
    ['1. First:\n   \\[\n   a\n   - b\n   \\]', '1. First:\n   $$$ a - b $$$'],
    ['> \\[\n> a\n> \\]', '> $$$ a $$$'],
    ['| \\(|x|\\) | 2 |', '| $$ \\vert x\\vert $$ | 2 |'],
  ])('treats %j as a formula', (text, expected) => {
    expect(whole(text)).toBe(expected);
  });

  it.each([
    'It costs $5 and $10.',
    'Between $5, or 5$ at most.',
    'Set $HOME and $PATH, or $HOME/$USER.',
    'In code `\\(x\\)` and ``$a$ ` b`` stay.',
    'C:\\temp and a\\*b',
  ])('leaves %j unchanged', (text) => {
    expect(whole(text)).toBe(text);
  });

  it('keeps marks without a partner as text', () => {
    expect(whole('a \\( b')).toBe('a \\\\( b');
    expect(whole('a $$ b')).toBe('a \\$\\$ b');
    expect(whole('a \\[ b\n\nc \\]')).toBe('a \\\\[ b\n\nc \\\\]');
  });

  it('recognises a formula whose end has not arrived', () => {
    expect(growing('so \\[ \\frac{a_1')).toBe('so $$$$ \\frac{a_1 $$$$');
    expect(growing('so $x')).toBe('so $x');
  });

  it('returns the end of the last formula', () => {
    const { text, tail } = mathMarks('a $x$ and [b', true);
    expect(text.slice(tail)).toBe(' and [b');
  });
});
