import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Lookup } from '../../../shared/models';
import { sourceTrouble } from '../../components/models/download-words';
import { request } from '../../stores/request';

type Found =
  | { kind: 'nothing' }
  | { kind: 'asking' }
  | { kind: 'failed'; words: string }
  | { kind: 'lookup'; lookup: Lookup };

/** Asks what a name stands for. Only the reply to the newest question counts. */
export function useLookup() {
  const { t } = useTranslation();
  const [found, setFound] = useState<Found>({ kind: 'nothing' });
  const newest = useRef(0);
  const clear = () => {
    newest.current += 1;
    setFound({ kind: 'nothing' });
  };
  const lookUp = async (backend: string, name: string) => {
    newest.current += 1;
    const own = newest.current;
    setFound({ kind: 'asking' });
    const outcome = await request('modelLookup', { backend, name });
    if (own !== newest.current) return;
    if (outcome.ok) setFound({ kind: 'lookup', lookup: outcome.value });
    else setFound({ kind: 'failed', words: sourceTrouble(outcome.error, t) });
  };
  return { found, lookUp, clear };
}
