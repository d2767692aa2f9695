/** Ends one slice of long work; resolves in the turn of the event loop in which the next slice may run. */
export type LoopTurn = () => Promise<void>;

const waiting: (() => void)[] = [];

/** Call after each item of long work; a promise must be awaited before the next item. */
export type Pace = () => Promise<void> | undefined;

/** Takes a turn after every so many items, in all lists of one request together. */
export function turnEvery(items: number, turn: LoopTurn): Pace {
  let read = 0;
  return () => {
    read += 1;
    return read % items === 0 ? turn() : undefined;
  };
}

/**
 * Call between slices: long work on the main thread is cut into slices of a few milliseconds. Of all work waiting here
 * one slice runs per turn of the event loop, in the order of the calls: ten large requests block it no longer than one.
 */
export const nextTurn: LoopTurn = () =>
  new Promise((resolve) => {
    waiting.push(resolve);
    // An immediate that a socket's callback adds runs before the loop turns, so a second one is needed.
    if (waiting.length === 1) setImmediate(() => setImmediate(give));
  });

function give(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(give);
}
