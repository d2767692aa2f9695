import { useEffect, useState } from 'react';
import type { Mode } from './highlight';

type Modes = ReadonlyMap<string, Mode>;

let loaded: Modes | null = null;

/** The mode of a language; null while the modes are being loaded, and for a language that none of them reads. */
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
      // Without its colours a listing can be read as well.
      () => {},
    );
    return () => {
      gone = true;
    };
  }, [wanted]);
  return modes?.get(language.toLowerCase()) ?? null;
}
