import { type RefObject, useEffect, useRef } from 'react';
import { chooseAnswer, shownAnswer, useChat } from '../../stores/chat-store';

const MARKS = 'found';

/** Created here, because the build of `styles.css` does not support `::highlight` yet. */
const look = new CSSStyleSheet();
look.replaceSync(
  `::highlight(${MARKS}) { background: color-mix(in srgb, var(--color-warn) 34%, transparent); }`,
);
document.adoptedStyleSheets.push(look);

/** Does this text contain the search words that opened the chat? Then it is shown unfolded. */
export function useHasFound(text: string): boolean {
  const find = useChat((state) => state.find);
  return find !== null && text.toLowerCase().includes(find);
}

/**
 * Highlights the search words that opened the chat and scrolls the first of them into view, once. The highlights do not
 * change the text; they are updated when the text re-renders, for example when colours load.
 */
export function useFound(ref: RefObject<HTMLElement | null>, hasMessages: boolean): void {
  const find = useChat((state) => state.find);
  const jumped = useRef<string | null>(null);
  useEffect(() => {
    const list = ref.current;
    if (find === null || !hasMessages || list === null) {
      jumped.current = null;
      return;
    }
    /** Marks all matches; jumps to the first one once its text is rendered. */
    const mark = () => {
      const ranges = [...list.querySelectorAll('[data-message]')].flatMap((message) =>
        rangesOf(message, find),
      );
      CSS.highlights?.set(MARKS, new Highlight(...ranges));
      if (ranges[0] === undefined || jumped.current === find) return;
      jumped.current = find;
      bringIntoSight(ranges[0].startContainer.parentElement);
    };
    const id = showMatch(find);
    if (id !== null && jumped.current !== find)
      list.querySelector(`[data-message="${CSS.escape(id)}"]`)?.scrollIntoView({ block: 'start' });
    mark();
    const changes = new MutationObserver(mark);
    changes.observe(list, { childList: true, characterData: true, subtree: true });
    return () => {
      changes.disconnect();
      CSS.highlights?.delete(MARKS);
    };
  }, [ref, find, hasMessages]);
}

/** Blocks have their real height only near the viewport, so this repeats until the position is stable for 6 frames. */
function bringIntoSight(element: Element | null, stillFor = 0, framesLeft = 60): void {
  if (element === null || framesLeft === 0 || stillFor === 6) return;
  const before = element.getBoundingClientRect().top;
  element.scrollIntoView({ block: 'center' });
  const isStill = Math.abs(element.getBoundingClientRect().top - before) < 1;
  requestAnimationFrame(() => bringIntoSight(element, isStill ? stillFor + 1 : 0, framesLeft - 1));
}

/** Id of the first message that contains the words; if it is an answer behind another tab, selects it. */
function showMatch(find: string): string | null {
  const state = useChat.getState();
  const match = state.messages.find(({ text }) => text.toLowerCase().includes(find));
  if (match?.role === 'assistant') {
    const beside = state.messages
      .filter((message) => message.role === 'assistant')
      .filter(({ replyTo }) => replyTo === match.replyTo);
    const newest = beside.at(-1);
    if (newest && shownAnswer(state, match.replyTo, beside) !== match)
      chooseAnswer(match.replyTo, match.id, newest.id);
  }
  return match?.id ?? null;
}

/** Ranges of the words in an element, also across text nodes. */
function rangesOf(element: Element, find: string): Range[] {
  const nodes: Text[] = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) nodes.push(walker.currentNode as Text);
  const whole = nodes.map(({ data }) => data).join('');
  const lower = whole.toLowerCase();
  // Some letters get longer in lower case; then the positions would not match.
  const text = lower.length === whole.length ? lower : whole;
  const ranges: Range[] = [];
  for (
    let at = text.indexOf(find);
    at !== -1 && ranges.length < 200;
    at = text.indexOf(find, at + find.length)
  ) {
    const range = document.createRange();
    setEdge(nodes, at, (node, offset) => range.setStart(node, offset));
    setEdge(nodes, at + find.length, (node, offset) => range.setEnd(node, offset));
    ranges.push(range);
  }
  return ranges;
}

function setEdge(nodes: readonly Text[], at: number, set: (node: Text, offset: number) => void): void {
  let passed = 0;
  for (const node of nodes) {
    if (at <= passed + node.length) {
      set(node, at - passed);
      return;
    }
    passed += node.length;
  }
}
