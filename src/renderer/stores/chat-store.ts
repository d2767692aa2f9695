import { create } from 'zustand';
import type { Message, Target } from '../../shared/chat';
import type { Push } from '../../shared/contract';
import { emptyMeta } from '../../shared/empty-meta';
import { loadOpenChat, saveDraft, saveOpenChat } from './drafts';
import { errorSentence, request } from './request';
import { applyState, applyText, isSettled, joinMessages, type MessagesOutcome } from './stream-text';
import { showToast } from './ui-store';

export type ChatPush = Extract<Push, { name: 'answerText' | 'answerState' | 'chatChanged' }>;

interface ChatState {
  /** Null is a chat not yet begun. */
  chatId: string | null;
  messages: readonly Message[];
  /** `opening` only where there is nothing to show yet. */
  phase: 'idle' | 'opening' | 'failed';
  /** A message on its way to the core. */
  sending: boolean;
  /** Where the next message goes. */
  target: Target;
  /** The message being edited instead of a new one being written. */
  editing: string | null;
}

export const useChat = create<ChatState>(() => ({
  chatId: null,
  messages: [],
  phase: 'idle',
  sending: false,
  target: { kind: 'auto' },
  editing: null,
}));

/** Id of the newest answer still to be finished. An id, so that its growing text re-renders nobody who asks. */
export function activeAnswerId({ messages }: ChatState): string | null {
  const active = messages.findLast((message) => message.role === 'assistant' && !isSettled(message));
  return active?.id ?? null;
}

/** Pushes that came in the middle of an opening, or for a chat whose id is not known yet. */
let held: ChatPush[] = [];
let openings = 0;

/** Takes a push. Pushes for chats that are not open are not ours; opening them reads all. */
export function receive(push: ChatPush): void {
  const { chatId, phase, sending } = useChat.getState();
  if (openings > 0 || (sending && push.payload.chatId !== chatId)) held.push(push);
  if (push.payload.chatId !== chatId || phase !== 'idle') return;
  apply(push);
}

function apply(push: ChatPush): void {
  const { chatId, messages } = useChat.getState();
  if (push.payload.chatId !== chatId) return;
  if (push.name === 'chatChanged') {
    void reopen();
    return;
  }
  const outcome: MessagesOutcome =
    push.name === 'answerText' ? applyText(messages, push.payload) : applyState(messages, push.payload);
  if (outcome.kind === 'messages') useChat.setState({ messages: outcome.messages });
  // An opening under way will bring what is missing.
  else if (openings === 0) void reopen();
}

/** Applies pushes that waited for an opening. What does not fit what was just read is older than it. */
function applyHeld(): void {
  const pushes = held;
  held = [];
  openings += 1;
  for (const push of pushes) if (push.name !== 'chatChanged') apply(push);
  openings -= 1;
}

/** Reads the open chat again: after a gap, a lost line, or a change from elsewhere. */
export async function reopen(): Promise<void> {
  const { chatId } = useChat.getState();
  if (chatId === null) return;
  openings += 1;
  const outcome = await request('chatOpen', { chatId });
  openings -= 1;
  // A later opening reads newer messages, and a chat left meanwhile is no longer shown.
  if (openings > 0) return;
  if (useChat.getState().chatId !== chatId) {
    held = [];
    return;
  }
  if (!outcome.ok) {
    held = [];
    useChat.setState((state) => ({ phase: state.messages.length > 0 ? 'idle' : 'failed' }));
    return;
  }
  useChat.setState((state) => ({
    messages: joinMessages(outcome.value.messages, state.messages),
    phase: 'idle',
  }));
  applyHeld();
}

/** Shows a chat; null begins a new one. */
export async function openChat(chatId: string | null): Promise<void> {
  saveOpenChat(chatId);
  useChat.setState({ chatId, messages: [], phase: chatId === null ? 'idle' : 'opening', editing: null });
  await reopen();
}

/** Opens what was open before a reload, if it still exists. */
export async function restoreChat(exists: (chatId: string) => boolean): Promise<void> {
  const chatId = loadOpenChat();
  if (chatId !== null && exists(chatId)) await openChat(chatId);
}

/** Sends the text, or the edited message. True when the core has stored it. */
export async function send(text: string): Promise<boolean> {
  const { chatId, target, editing } = useChat.getState();
  useChat.setState({ sending: true });
  const outcome =
    editing === null
      ? await request('chatSend', { chatId, text, target })
      : await request('chatEdit', { messageId: editing, text, target });
  if (!outcome.ok) {
    useChat.setState({ sending: false });
    showToast({ text: errorSentence(outcome.error), tone: 'error' });
    return false;
  }
  const { chatId: sentTo, userMessageId, answerId } = outcome.value;
  saveDraft(chatId, '');
  if (useChat.getState().chatId !== chatId) {
    useChat.setState({ sending: false });
    return true;
  }
  saveOpenChat(sentTo);
  const edited = editing;
  useChat.setState((state) => {
    const at = Date.now();
    const known = new Set(state.messages.map((message) => message.id));
    const kept = edited === null ? state.messages : before(state.messages, edited);
    const added: Message[] = [];
    if (!known.has(userMessageId)) added.push({ role: 'user', id: userMessageId, chatId: sentTo, text, at });
    if (!known.has(answerId)) {
      added.push({
        role: 'assistant',
        id: answerId,
        chatId: sentTo,
        replyTo: userMessageId,
        text: '',
        status: 'queued',
        meta: emptyMeta(),
        at,
      });
    }
    return { chatId: sentTo, messages: [...kept, ...added], phase: 'idle', sending: false, editing: null };
  });
  if (openings === 0) applyHeld();
  return true;
}

function before(messages: readonly Message[], id: string): readonly Message[] {
  const index = messages.findIndex((message) => message.id === id);
  return index === -1 ? messages : messages.slice(0, index);
}

/** A further answer to the same message; with `overruleMemory` the memory guard lets this one pass. */
export async function retry(answerId: string, target: Target, overruleMemory = false): Promise<void> {
  const outcome = await request(
    'chatRetry',
    overruleMemory ? { answerId, target, overruleMemory } : { answerId, target },
  );
  if (!outcome.ok) showToast({ text: errorSentence(outcome.error), tone: 'error' });
  else await reopen();
}

export async function stop(answerId: string): Promise<void> {
  const outcome = await request('chatStop', { answerId });
  if (!outcome.ok) showToast({ text: errorSentence(outcome.error), tone: 'error' });
}

export function setTarget(target: Target): void {
  useChat.setState({ target });
}

export function setEditing(editing: string | null): void {
  useChat.setState({ editing });
}
