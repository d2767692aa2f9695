import type { KeyboardEvent } from 'react';
import { isComposing } from '../../components/composition';

/** Arrows go from the search to the chats and among them; Enter in the search opens the first of them. */
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
    // Else the key would also press what has the focus after the drawer has closed.
    event.preventDefault();
    stops[1]?.click();
  }
}
