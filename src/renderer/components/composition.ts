/**
 * Is the key part of an IME composition, as of Chinese or Japanese characters? Then the input method handles it. WebKit
 * ends the composition before it reports the key that ended it; that key still has the code 229.
 */
export function isComposing(event: Pick<KeyboardEvent, 'isComposing' | 'keyCode'>): boolean {
  return event.isComposing || event.keyCode === 229;
}
