import type { Target } from '../../shared/chat';
import type { Outgoing } from './chat-store';

/** The composer's text, the open chat and the target, stored so that a reload loses nothing. */

const DRAFT = 'tandem.draft.';
const OPEN = 'tandem.chat';
const TARGET = 'tandem.target';
const UNSENT = 'tandem.unsent';

/** Storage may be disabled (private windows); the app works without it. */
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

/** Unsent text in a chat; `null` is the new chat. */
export function loadDraft(chatId: string | null): string {
  return read(sessionStorage, DRAFT + (chatId ?? 'new')) ?? '';
}

export function saveDraft(chatId: string | null, text: string): void {
  write(sessionStorage, DRAFT + (chatId ?? 'new'), text);
}

/** The chat that was open before a reload, or, in a new window, the last one. */
export function loadOpenChat(): string | null {
  return read(sessionStorage, OPEN) ?? read(localStorage, OPEN);
}

export function saveOpenChat(chatId: string | null): void {
  write(sessionStorage, OPEN, chatId);
  write(localStorage, OPEN, chatId);
}

/** The target of the next message; automatic if no valid one is stored. */
export function loadTarget(): Target {
  const kept = parsed(read(sessionStorage, TARGET) ?? read(localStorage, TARGET)) as Partial<
    Record<string, unknown>
  > | null;
  const backend = typeof kept?.backend === 'string' ? kept.backend : null;
  if (kept?.kind === 'backend' && backend !== null) return { kind: 'backend', backend };
  if (kept?.kind === 'model' && backend !== null && typeof kept.model === 'string')
    return { kind: 'model', backend, model: kept.model };
  return { kind: 'auto' };
}

export function saveTarget(target: Target): void {
  const text = JSON.stringify(target);
  write(sessionStorage, TARGET, text);
  write(localStorage, TARGET, text);
}

/** Messages that were unconfirmed before a reload. Sending them again shows whether the core has them. */
export function loadUnsent(): readonly Outgoing[] {
  const kept = parsed(read(sessionStorage, UNSENT));
  if (!Array.isArray(kept)) return [];
  return (kept as Outgoing[]).map((message) => ({ ...message, state: 'failed', error: null }));
}

export function saveUnsent(outgoing: readonly Outgoing[]): void {
  write(sessionStorage, UNSENT, outgoing.length === 0 ? null : JSON.stringify(outgoing));
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
