import type { KeyboardEvent } from 'react';
import { isComposing } from '../../components/composition';

/** Arrow keys move from the search to the chats and between them; Enter in the search opens the first one. */
export function moveInHistory(event: KeyboardEvent<HTMLElement>): void {
  if (isComposing(event.nativeEvent)) return;
  const column = event.currentTarget.closest('[data-history]');
  const stops = [...(column?.querySelectorAll<HTMLElement>('input, button[data-chat]') ?? [])];
  const at = stops.indexOf(event.currentTarget);
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step !== 0) {
    event.preventDefault();
    stops[at + step]?.focus();
  } else if (event.key === 'Enter' && at === 0) {
    // Otherwise the key would also press the element that gets the focus when the drawer closes.
    event.preventDefault();
    stops[1]?.click();
  }
}
