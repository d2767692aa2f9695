import 'katex/contrib/copy-tex';
import 'katex/dist/katex.min.css';
import katex from 'katex';

/** Renders TeX into `place` and replaces its content. Returns false, with `place` empty, when the TeX is invalid. */
export function drawFormula(tex: string, place: HTMLElement, displayMode: boolean): boolean {
  try {
    // `strict: false` accepts letters that TeX does not know; the limits keep a hostile formula small.
    katex.render(tex, place, { displayMode, strict: false, maxSize: 20, maxExpand: 500 });
    return true;
  } catch {
    place.replaceChildren();
    return false;
  }
}
