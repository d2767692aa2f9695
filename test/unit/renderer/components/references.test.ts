import { describe, expect, it } from 'vitest';
import { splitBlocks } from '../../../../src/renderer/components/markdown/blocks';
import { findReferences } from '../../../../src/renderer/components/markdown/references';

const of = (markdown: string) => findReferences(splitBlocks(markdown));

describe('findReferences', () => {
  it('gives each block the definitions that it uses', () => {
    const [first, second, third] = of(
      'See [the page][Home].\n\nNothing here.\n\n[home]: https://example.org "T"',
    );
    expect(first).toEqual({ definitions: '[home]: https://example.org "T"', used: '' });
    expect(second).toEqual({ definitions: '', used: '' });
    expect(third?.used.split('\n')).toContain('home');
  });

  it('tells a block only that a note exists', () => {
    const [first] = of('A claim[^1].\n\n[^1]: The source of it.');
    expect(first?.definitions).toBe('[^1]: .');
  });

  it('treats no sentence as a definition, and nothing in a listing', () => {
    expect(of('A [Tip].\n\n[Tip]: Restart the app')[0]?.definitions).toBe('');
    expect(of('A [x].\n\n```\n[x]: https://example.org\n```')[0]?.definitions).toBe('');
  });

  it('does not count the definition itself as a use', () => {
    expect(of('[home]: https://example.org')[0]?.used).toBe('');
  });
});
