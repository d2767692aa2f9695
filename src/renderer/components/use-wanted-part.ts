import { type RefObject, useEffect } from 'react';
import { useUi, type ViewPart } from '../stores/ui-store';

/** Moves the focus to this element when another view has led to it. `isShown`: whether it can be on the page yet. */
export function useWantedPart(part: ViewPart, element: RefObject<HTMLElement | null>, isShown = true): void {
  const isWanted = useUi((state) => state.wantedPart === part);
  useEffect(() => {
    if (!isWanted || !isShown) return;
    element.current?.focus();
    useUi.setState({ wantedPart: null });
  }, [isWanted, isShown, element]);
}
