/** What the composer held and which chat was open, so that a reload changes nothing for the person typing. */

const DRAFT = 'tandem.draft.';
const OPEN = 'tandem.chat';

/** Storage may be off (private windows); the app works without. */
function read(storage: Storage, key: string): string | null {
  try {
    return storage.getItem(key);
  } catch {
    return null;
  }
}

function write(storage: Storage, key: string, value: string | null): void {
  try {
    if (value === null || value === '') storage.removeItem(key);
    else storage.setItem(key, value);
  } catch {
    // Nothing to do: the draft then lives as long as the page.
  }
}

/** Text not yet sent in a chat; `null` is the chat not yet begun. */
export function loadDraft(chatId: string | null): string {
  return read(sessionStorage, DRAFT + (chatId ?? 'new')) ?? '';
}

export function saveDraft(chatId: string | null, text: string): void {
  write(sessionStorage, DRAFT + (chatId ?? 'new'), text);
}

/** The chat open before a reload, or, in a new window, the last one. */
export function loadOpenChat(): string | null {
  return read(sessionStorage, OPEN) ?? read(localStorage, OPEN);
}

export function saveOpenChat(chatId: string | null): void {
  write(sessionStorage, OPEN, chatId);
  write(localStorage, OPEN, chatId);
}
