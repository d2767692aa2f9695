import { useLayoutEffect, useRef, useState } from 'react';
import type { FormulaKind } from './math-marks';

type Draw = typeof import('./katex').drawFormula;

let loaded: Draw | null = null;

/**
 * A formula. It is rendered as DOM nodes, never as markup, so the page's style policy applies. Until KaTeX has loaded,
 * and while the TeX is invalid or incomplete, the source is shown.
 */
export function Formula({ tex, kind }: { tex: string; kind: FormulaKind }) {
  const [draw, setDraw] = useState(() => loaded);
  const [drawn, setDrawn] = useState(false);
  const place = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    if (draw && place.current) setDrawn(kind !== 'open' && draw(tex, place.current, kind === 'display'));
  }, [draw, tex, kind]);
  useLayoutEffect(() => {
    if (draw !== null) return;
    let gone = false;
    import('./katex').then(
      ({ drawFormula }) => {
        loaded = drawFormula;
        if (!gone) setDraw(() => drawFormula);
      },
      // The source is readable too.
      () => {},
    );
    return () => {
      gone = true;
    };
  }, [draw]);
  return (
    <>
      <span
        ref={place}
        dir="ltr"
        data-testid={drawn ? 'formula' : undefined}
        className={kind === 'display' ? 'formula-display' : 'formula'}
      />
      {!drawn && <code>{tex}</code>}
    </>
  );
}
