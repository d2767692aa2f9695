import { useState } from 'react';

/** Which chat's name is being edited in this place. */
export function useRenaming() {
  const [chatId, setChatId] = useState<string | null>(null);
  return { chatId, begin: (id: string) => setChatId(id), end: () => setChatId(null) };
}
