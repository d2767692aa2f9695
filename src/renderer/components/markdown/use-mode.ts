import { useEffect, useState } from 'react';
import type { Mode } from './highlight';

type Modes = ReadonlyMap<string, Mode>;

let loaded: Modes | null = null;

/** The mode of a language; null while the modes load, and for an unknown language. */
export function useMode(language: string): Mode | null {
  const [modes, setModes] = useState(loaded);
  const wanted = language !== '' && modes === null;
  useEffect(() => {
    if (!wanted) return;
    let gone = false;
    import('./modes').then(
      ({ MODES }) => {
        loaded = MODES;
        if (!gone) setModes(MODES);
      },
      // A listing is readable without colours too.
      () => {},
    );
    return () => {
      gone = true;
    };
  }, [wanted]);
  return modes?.get(language.toLowerCase()) ?? null;
}
