import { useEffect, useState } from 'react';
import type { ChatSummary } from '../../../shared/chat';
import { request } from '../../stores/request';

/** Debounce after the last key before the core is queried, ms. */
const PAUSE_MS = 150;

/** Chats that contain the query; null while it is empty. Late responses are dropped. */
export function useChatSearch(query: string): readonly ChatSummary[] | null {
  const [found, setFound] = useState<readonly ChatSummary[] | null>(null);
  const trimmed = query.trim();
  useEffect(() => {
    if (trimmed === '') {
      setFound(null);
      return;
    }
    let current = true;
    const timer = setTimeout(async () => {
      const outcome = await request('chatSearch', { query: trimmed });
      if (current && outcome.ok) setFound(outcome.value.chats);
    }, PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [trimmed]);
  return found;
}
