import type { TFunction } from 'i18next';

/** A place in the queue in words: “Next in line”, “2nd in line”. `position` is 1-based. */
export function placeWords(position: number, t: TFunction): string {
  if (position === 1) return t('line.next');
  if (position === 2) return t('line.second');
  if (position === 3) return t('line.third');
  return t('line.place', { count: position, ordinal: true });
}
