/**
 * Is the key part of a composition, as of Chinese or Japanese characters? Then it belongs to the input method. WebKit ends
 * the composition before it tells of the key that ended it, which then has the code 229 all the same.
 */
export function isComposing(event: Pick<KeyboardEvent, 'isComposing' | 'keyCode'>): boolean {
  return event.isComposing || event.keyCode === 229;
}
