import { expect, it } from 'vitest';
import { isAccelerator } from '../../../src/shared/accelerator';

it.each(['Alt+Space', 'Control+Alt+Shift+Command+K', 'CommandOrControl+Shift+1', 'F5', 'Shift+F12', 'Cmd+,'])(
  '%s can be a shortcut',
  (text) => expect(isAccelerator(text)).toBe(true),
);

it.each([
  '',
  'A',
  'Space',
  'Shift+A',
  'Alt+',
  '+A',
  'Alt+Space+A',
  'Alt++',
  'Hyper+K',
  'Alt+F25',
  'Alt+AB',
  'nonsense',
])('%j cannot', (text) => expect(isAccelerator(text)).toBe(false));
