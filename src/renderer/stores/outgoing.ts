import type { Message } from '../../shared/chat';
import { emptyMeta } from '../../shared/empty-meta';
import { applyHeld, type Outgoing, useChat } from './chat-store';
import { saveOpenChat, saveUnsent } from './drafts';
import { errorSentence, request } from './request';
import { showToast } from './ui-store';

useChat.subscribe((state, before) => {
  if (state.outgoing !== before.outgoing) saveUnsent(state.outgoing);
});

/** Sends the text, or the edited message. It appears at once and stays until the core confirms it, even if it fails. */
export function send(text: string): void {
  const { chatId, target, editing } = useChat.getState();
  const message: Outgoing = { id: newId(), chatId, text, target, editing, state: 'sending', error: null };
  useChat.setState(({ outgoing }) => ({ outgoing: [...outgoing, message], editing: null, find: null }));
  void deliver(message);
}

/** Retries a failed message under its own id, so that a message that did arrive is not duplicated. */
export function sendAgain(message: Outgoing): void {
  change(message.id, { state: 'sending', error: null });
  void deliver(message);
}

/** Discards a message that failed. */
export function discard({ id }: Pick<Outgoing, 'id'>): void {
  useChat.setState(({ outgoing }) => ({ outgoing: outgoing.filter((other) => other.id !== id) }));
}

/** Unconfirmed messages of the open chat, in display form. */
export function outgoingOf({
  chatId,
  messages,
  outgoing,
}: {
  chatId: string | null;
  messages: readonly Message[];
  outgoing: readonly Outgoing[];
}): readonly Outgoing[] {
  return outgoing.filter(
    (message) => message.chatId === chatId && !messages.some(({ id }) => id === message.id),
  );
}

async function deliver({ id, chatId, text, target, editing }: Outgoing): Promise<void> {
  const outcome =
    editing === null
      ? await request('chatSend', { chatId, text, target, newId: id })
      : await request('chatEdit', { messageId: editing, text, target, newId: id });
  if (!outcome.ok) {
    const { error } = outcome;
    const arrived = useChat.getState().messages.some((message) => message.id === id);
    if (arrived) discard({ id });
    else change(id, { state: 'failed', error });
    if (useChat.getState().chatId !== chatId) showToast({ text: errorSentence(error), tone: 'error' });
    return;
  }
  confirm({ id, chatId, editing, text }, outcome.value);
}

/** The core has confirmed it: it becomes a message of its chat, with its answer. */
function confirm(
  { id, chatId, editing, text }: Pick<Outgoing, 'id' | 'chatId' | 'editing' | 'text'>,
  { chatId: sentTo, userMessageId, answerId }: { chatId: string; userMessageId: string; answerId: string },
): void {
  useChat.setState((state) => {
    const outgoing = state.outgoing.filter((other) => other.id !== id);
    if (state.chatId !== chatId) return { outgoing };
    const at = Date.now();
    const known = new Set(state.messages.map((message) => message.id));
    const kept = editing === null ? state.messages : before(state.messages, editing);
    const added: Message[] = [];
    if (!known.has(userMessageId)) added.push({ role: 'user', id: userMessageId, chatId: sentTo, text, at });
    if (!known.has(answerId)) added.push(awaitedAnswer(answerId, userMessageId, sentTo, at));
    return { chatId: sentTo, messages: [...kept, ...added], phase: 'idle', outgoing };
  });
  if (useChat.getState().chatId !== sentTo) return;
  saveOpenChat(sentTo);
  applyHeld();
}

function awaitedAnswer(id: string, replyTo: string, chatId: string, at: number): Message {
  return { role: 'assistant', id, chatId, replyTo, text: '', status: 'queued', meta: emptyMeta(), at };
}

/** The messages before this one; all if it is not among them. */
export function before(messages: readonly Message[], id: string): readonly Message[] {
  const index = messages.findIndex((message) => message.id === id);
  return index === -1 ? messages : messages.slice(0, index);
}

function change(id: string, to: Partial<Outgoing>): void {
  useChat.setState(({ outgoing }) => ({
    outgoing: outgoing.map((message) => (message.id === id ? { ...message, ...to } : message)),
  }));
}

/** A random UUID. `crypto.randomUUID` is missing on a page served over plain HTTP from another machine. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
