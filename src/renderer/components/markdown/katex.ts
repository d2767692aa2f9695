import 'katex/contrib/copy-tex';
import 'katex/dist/katex.min.css';
import katex from 'katex';

/** Draws TeX into `place`, whose content it replaces. False = the TeX is wrong, and `place` is empty. */
export function drawFormula(tex: string, place: HTMLElement, displayMode: boolean): boolean {
  try {
    // `strict` only warns, of letters that TeX does not know; limits keep a hostile formula small.
    katex.render(tex, place, { displayMode, strict: false, maxSize: 20, maxExpand: 500 });
    return true;
  } catch {
    place.replaceChildren();
    return false;
  }
}
