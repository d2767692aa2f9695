import { describe, expect, it } from 'vitest';
import { accelerator, acceleratorKeys } from '../../../../src/renderer/features/settings/accelerator';

const none = { metaKey: false, ctrlKey: false, altKey: false, shiftKey: false };

describe('accelerator', () => {
  it.each([
    [{ ...none, altKey: true, code: 'Space' }, 'Alt+Space'],
    [{ ...none, metaKey: true, shiftKey: true, code: 'KeyT' }, 'Shift+Command+T'],
    [{ ...none, ctrlKey: true, code: 'ArrowUp' }, 'Control+Up'],
    [{ ...none, code: 'F5' }, 'F5'],
    [{ ...none, code: 'KeyT' }, null],
    [{ ...none, shiftKey: true, code: 'KeyT' }, null],
    [{ ...none, altKey: true, code: 'AltLeft' }, null],
  ])('%o is %s', (keys, expected) => {
    expect(accelerator(keys)).toBe(expected);
  });

  it('is shown as key symbols', () => {
    expect(acceleratorKeys('Alt+Space')).toEqual(['⌥', 'space']);
  });
});
