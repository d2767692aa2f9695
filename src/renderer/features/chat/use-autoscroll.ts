import { type RefObject, useCallback, useLayoutEffect, useRef, useState } from 'react';

/** Within this distance of the end, in px, the reader counts as being at the end. */
const NEAR = 48;

/**
 * Keeps a scrolling element at its end while it grows, but only while the reader is at the end. Returns whether the
 * reader is away from the end, and a function that scrolls back. `key` changes with the conversation and each turn.
 */
export function useAutoscroll(ref: RefObject<HTMLElement | null>, key: string | null, enabled: boolean) {
  const [away, setAway] = useState(false);
  const pinned = useRef(true);

  const toEnd = useCallback(() => {
    pinned.current = true;
    setAway(false);
    const element = ref.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, [ref]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another chat begins at its end
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element || !enabled) return;
    toEnd();
    const onScroll = () => {
      const distance = element.scrollHeight - element.scrollTop - element.clientHeight;
      pinned.current = distance <= NEAR;
      setAway(!pinned.current);
    };
    // What the reader unfolds stays under the pointer: that growth does not scroll.
    const onClick = ({ target }: MouseEvent) => {
      if (!(target instanceof Element) || !target.closest('[aria-expanded]')) return;
      pinned.current = false;
      requestAnimationFrame(onScroll);
    };
    const follow = new ResizeObserver(() => {
      if (pinned.current) element.scrollTop = element.scrollHeight;
    });
    follow.observe(element);
    if (element.firstElementChild) follow.observe(element.firstElementChild);
    element.addEventListener('scroll', onScroll, { passive: true });
    element.addEventListener('click', onClick);
    return () => {
      follow.disconnect();
      element.removeEventListener('scroll', onScroll);
      element.removeEventListener('click', onClick);
    };
  }, [ref, key, enabled, toEnd]);

  return { away, toEnd };
}
