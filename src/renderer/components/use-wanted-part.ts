import { type RefObject, useEffect } from 'react';
import { type Part, useUi } from '../stores/ui-store';

/** Moves the focus to this element when another view has led to it. */
export function useWantedPart(part: Part, element: RefObject<HTMLElement | null>): void {
  const isWanted = useUi((state) => state.wantedPart === part);
  useEffect(() => {
    if (!isWanted || element.current === null) return;
    element.current.focus();
    useUi.setState({ wantedPart: null });
  }, [isWanted, element]);
}
