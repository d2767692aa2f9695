import { create } from 'zustand';
import type { Answer, Message, Target } from '../../shared/chat';
import type { Push } from '../../shared/contract';
import type { Trouble } from '../i18n/core-words';
import { loadOpenChat, loadTarget, loadUnsent, saveOpenChat, saveTarget } from './drafts';
import { HeldPushes } from './held-pushes';
import { errorSentence, request } from './request';
import { applyState, applyText, isSettled, joinMessages, type MessagesOutcome } from './stream-text';
import { showToast } from './ui-store';

/** A message on its way to the core, or one that did not get there. */
export interface Outgoing {
  id: string;
  /** Null: it begins a chat. */
  chatId: string | null;
  text: string;
  target: Target;
  /** The message whose place it takes. */
  editing: string | null;
  state: 'sending' | 'failed';
  /** Why it failed; null after a reload, which knows no reason. */
  error: Trouble | null;
}

export type ChatPush = Extract<Push, { name: 'answerText' | 'answerState' | 'chatChanged' }>;

interface ChatState {
  /** Null is a chat not yet begun. */
  chatId: string | null;
  messages: readonly Message[];
  /** `opening` only where there is nothing to show yet. */
  phase: 'idle' | 'opening' | 'failed';
  /** Messages that the core has not confirmed, of all chats, in the order in which they were written. */
  outgoing: readonly Outgoing[];
  /** Where the next message goes. */
  target: Target;
  /** The message being edited instead of a new one being written. */
  editing: string | null;
  /** The answer that the reader chose among those to one message, by the message's id; void once there is a newer one. */
  chosen: Readonly<Record<string, { answer: string; newest: string }>>;
  /** Words that the open chat was found by, lower case; they are marked in it. */
  find: string | null;
}

export const useChat = create<ChatState>(() => ({
  chatId: null,
  messages: [],
  phase: 'idle',
  outgoing: loadUnsent(),
  target: loadTarget(),
  editing: null,
  chosen: {},
  find: null,
}));

/** The answer shown under a message: the chosen one, else the newest. `answers`: all answers to that message. */
export function shownAnswer(
  { chosen }: Pick<ChatState, 'chosen'>,
  messageId: string,
  answers: readonly Answer[],
): Answer | undefined {
  const newest = answers.at(-1);
  const choice = chosen[messageId];
  if (choice?.newest !== newest?.id) return newest;
  return answers.find(({ id }) => id === choice?.answer) ?? newest;
}

/**
 * Id of the answer that Stop ends: one that is in sight before one behind a tab, one that is being written before one
 * that waits, the last before the first. An id, so that its growing text re-renders nobody who asks.
 */
export function activeAnswerId(state: ChatState): string | null {
  const answers = state.messages.filter((message) => message.role === 'assistant');
  const running = answers.filter((answer) => !isSettled(answer));
  const inSight = running.filter(({ id, replyTo }) => {
    const beside = answers.filter((answer) => answer.replyTo === replyTo);
    return shownAnswer(state, replyTo, beside)?.id === id;
  });
  const candidates = inSight.length > 0 ? inSight : running;
  return (candidates.findLast(({ status }) => status === 'streaming') ?? candidates.at(-1))?.id ?? null;
}

/** Pushes that came in the middle of an opening, or for a chat whose id is not known yet. */
const held = new HeldPushes<ChatPush>();
/** Number of the newest opening. Only its reply counts: those before it read older messages, or another chat. */
let newest = 0;
/** Number of the opening whose reply came last. */
let replied = 0;

const isOpening = () => replied !== newest;

/** Takes a push. Pushes for chats that are not open are not ours; opening them reads all. */
export function receive(push: ChatPush): void {
  const { chatId, phase, outgoing } = useChat.getState();
  const ours = push.payload.chatId === chatId;
  const beginning = outgoing.some((message) => message.state === 'sending' && message.chatId === null);
  if (isOpening() || (beginning && !ours)) held.add(push);
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

/** Applies pushes that waited for an opening or for the id of a new chat. What does not fit what was just read is older than it. */
export function applyHeld(): void {
  if (isOpening()) return;
  const { chatId } = useChat.getState();
  const pushes = held.take();
  if (pushes === null) void reopen();
  else
    for (const push of pushes) if (push.name !== 'chatChanged' && push.payload.chatId === chatId) apply(push);
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
    held.clear();
    useChat.setState((state) => ({ phase: state.messages.length > 0 ? 'idle' : 'failed' }));
    return;
  }
  useChat.setState((state) => ({
    messages: joinMessages(outcome.value.messages, state.messages),
    outgoing: state.outgoing.filter(({ id }) => !outcome.value.messages.some((message) => message.id === id)),
    phase: 'idle',
  }));
  applyHeld();
}

/** Shows a chat; null begins a new one. `find`: words to jump to and to mark. */
export async function openChat(chatId: string | null, find: string | null = null): Promise<void> {
  saveOpenChat(chatId);
  // What is under way for the chat that is left counts no more.
  newest += 1;
  replied = newest;
  held.clear();
  useChat.setState({
    chatId,
    messages: [],
    phase: chatId === null ? 'idle' : 'opening',
    editing: null,
    find: find?.toLowerCase() || null,
  });
  await reopen();
}

/** Opens what was open before a reload, if it still exists. */
export async function restoreChat(exists: (chatId: string) => boolean): Promise<void> {
  const chatId = loadOpenChat();
  if (chatId !== null && exists(chatId)) await openChat(chatId);
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
  saveTarget(target);
  useChat.setState({ target });
}

export function setEditing(editing: string | null): void {
  useChat.setState({ editing });
}

/** Shows another answer than the newest under a message, until there is a newer one. */
export function chooseAnswer(messageId: string, answer: string, newest: string): void {
  useChat.setState(({ chosen }) => ({ chosen: { ...chosen, [messageId]: { answer, newest } } }));
}
