import { useEffect } from 'react';

const FOCUSABLE = ['main', 'button', 'a[href]', 'input', 'select', 'textarea', '[tabindex="0"]']
  .map((selector) => `${selector}:not(:disabled)`)
  .join(',');

/** An ancestor of the focused element, and the index of the child on the path to it. */
interface Step {
  parent: Element;
  index: number;
}

/** A focused element, and the path to it from the page's root. */
interface Holder {
  element: Element;
  way: readonly Step[];
}

/**
 * Keeps the focus in the page when the focused element is removed or disabled: focus moves to the element in its place,
 * else to the nearest focusable one; from a menu or drawer it returns to the element that had it before. After a click
 * elsewhere it does nothing: that was the user's choice.
 */
export function useFocusKeeper(): void {
  useEffect(() => {
    /** The last focused element in the page, and the last one in an overlay. */
    let below: Holder | null = null;
    let over: Holder | null = null;
    const hold = (element: Element | null) => {
      if (element === null || element === document.body) return;
      const holder = { element, way: wayTo(element) };
      if (document.getElementById('root')?.contains(element)) {
        below = holder;
        over = null;
      } else over = holder;
    };
    const onFocus = ({ target }: FocusEvent) => hold(target instanceof Element ? target : null);
    const onPointer = ({ target }: PointerEvent) => {
      const last = (over ?? below)?.element;
      if (last && target instanceof Node && !last.contains(target)) {
        below = null;
        over = null;
      }
    };
    const changes = new MutationObserver(() => {
      const { activeElement, body } = document;
      const last = over ?? below;
      if (last === null || !isGone(last.element)) return;
      if (activeElement !== body && activeElement !== last.element) return;
      const before = below && !isGone(below.element) ? (below.element as HTMLElement) : null;
      const next = (over && nearest(over.way)) ?? before ?? (below && nearest(below.way));
      next?.focus({ preventScroll: true });
    });
    hold(document.activeElement);
    document.addEventListener('focusin', onFocus);
    document.addEventListener('pointerdown', onPointer);
    changes.observe(document.body, {
      childList: true,
      subtree: true,
      attributes: true,
      attributeFilter: ['disabled', 'hidden'],
    });
    return () => {
      document.removeEventListener('focusin', onFocus);
      document.removeEventListener('pointerdown', onPointer);
      changes.disconnect();
    };
  }, []);
}

function wayTo(element: Element): Step[] {
  const way: Step[] = [];
  for (
    let child = element;
    child.parentElement && child.parentElement !== document.body;
    child = child.parentElement
  )
    way.push({ parent: child.parentElement, index: [...child.parentElement.children].indexOf(child) });
  return way;
}

function isGone(element: Element): boolean {
  return !element.isConnected || element.matches(':disabled') || element.closest('[hidden]') !== null;
}

function nearest(way: readonly Step[]): HTMLElement | null {
  for (const { parent, index } of way) {
    if (!parent.isConnected) continue;
    const places = [parent.children[Math.min(index, parent.children.length - 1)], parent];
    for (const place of places) {
      const found = place && focusableIn(place);
      if (found) return found;
    }
  }
  return null;
}

function focusableIn(place: Element): HTMLElement | undefined {
  const all = [place, ...place.querySelectorAll(FOCUSABLE)];
  return all.find(
    (element): element is HTMLElement =>
      element instanceof HTMLElement &&
      element.matches(FOCUSABLE) &&
      !isGone(element) &&
      element.getClientRects().length > 0,
  );
}
