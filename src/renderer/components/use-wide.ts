import { useSyncExternalStore } from 'react';

/** From this width on the views are side by side. */
const query = matchMedia('(min-width: 720px)');

function subscribe(listener: () => void): () => void {
  query.addEventListener('change', listener);
  return () => query.removeEventListener('change', listener);
}

export function useWide(): boolean {
  return useSyncExternalStore(subscribe, () => query.matches);
}
