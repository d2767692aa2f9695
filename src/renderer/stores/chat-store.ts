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
/** Number of the newest opening. Only its reply counts: those before it read older messages, or another chat. */
let newest = 0;
/** Number of the opening whose reply came last. */
let replied = 0;

const isOpening = () => replied !== newest;

/** Takes a push. Pushes for chats that are not open are not ours; opening them reads all. */
export function receive(push: ChatPush): void {
  const { chatId, phase, sending } = useChat.getState();
  const ours = push.payload.chatId === chatId;
  if (isOpening() || (sending && !ours)) held.push(push);
  if (!ours || phase !== 'idle') return;
  // An opening under way will bring what is missing.
  if (push.name === 'chatChanged' || (!apply(push) && !isOpening())) void reopen();
}

/** Applies a push to the open chat; false = what it builds on is missing. */
function apply(push: Exclude<ChatPush, { name: 'chatChanged' }>): boolean {
  const { messages } = useChat.getState();
  const outcome: MessagesOutcome =
    push.name === 'answerText' ? applyText(messages, push.payload) : applyState(messages, push.payload);
  if (outcome.kind === 'messages') useChat.setState({ messages: outcome.messages });
  return outcome.kind === 'messages';
}

/** Applies pushes that waited for an opening. What does not fit what was just read is older than it. */
function applyHeld(): void {
  const { chatId } = useChat.getState();
  for (const push of held) if (push.name !== 'chatChanged' && push.payload.chatId === chatId) apply(push);
  held = [];
}

/** Reads the open chat again: after a gap, a lost line, or a change from elsewhere. */
export async function reopen(): Promise<void> {
  const { chatId } = useChat.getState();
  if (chatId === null) return;
  newest += 1;
  const own = newest;
  const outcome = await request('chatOpen', { chatId });
  if (own !== newest) return;
  replied = own;
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
  // What is under way for the chat that is left counts no more.
  newest += 1;
  replied = newest;
  held = [];
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
  if (!isOpening()) applyHeld();
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
