import { create } from 'zustand';
import type { Answer, Message, Target } from '../../shared/chat';
import type { Push } from '../../shared/contract';
import type { BackendInstance } from '../../shared/domain';
import type { Trouble } from '../i18n/core-words';
import { loadOpenChat, loadTarget, loadUnsent, saveOpenChat, saveTarget } from './drafts';
import { HeldPushes } from './held-pushes';
import { perform, request } from './request';
import { applyState, applyText, isSettled, joinMessages, type MessagesOutcome } from './stream-text';
import { focusComposer } from './ui-store';

/** A message that the core has not confirmed: being sent, or failed. */
export interface Outgoing {
  id: string;
  /** Null: it begins a chat. */
  chatId: string | null;
  text: string;
  target: Target;
  /** The message that it replaces. */
  editing: string | null;
  state: 'sending' | 'failed';
  /** Why it failed; null after a reload, since the reason is not stored. */
  error: Trouble | null;
}

export type ChatPush = Extract<Push, { name: 'answerText' | 'answerState' | 'chatChanged' }>;

interface ChatState {
  /** Null is a new chat without messages. */
  chatId: string | null;
  messages: readonly Message[];
  /** `opening` only while there is nothing to show yet. */
  phase: 'idle' | 'opening' | 'failed';
  /** Unconfirmed messages of all chats, in the order in which they were written. */
  outgoing: readonly Outgoing[];
  /** Where the next message goes. */
  target: Target;
  /** The message being edited, if any. */
  editing: string | null;
  /** The answer that the reader chose, by message id; ignored once there is a newer answer. */
  chosen: Readonly<Record<string, { answer: string; newest: string }>>;
  /** Search words that opened the chat, in lower case; they are highlighted in it. */
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
 * Id of the answer that Stop ends. Visible answers come before those behind a tab, then streaming ones before waiting
 * ones, then later ones before earlier ones. Returns an id, so that growing text does not re-render subscribers.
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

/** Pushes that arrived while a chat was opening, or for a chat whose id is not known yet. */
const held = new HeldPushes<ChatPush>();
/** Number of the newest opening. Only its reply counts: earlier ones read older messages or another chat. */
let newest = 0;
/** Number of the opening whose reply arrived last. */
let replied = 0;

const isOpening = () => replied !== newest;

/** Handles a push. Pushes for other chats are ignored; opening such a chat reads everything. */
export function receive(push: ChatPush): void {
  const { chatId, phase, outgoing } = useChat.getState();
  const ours = push.payload.chatId === chatId;
  const beginning = outgoing.some((message) => message.state === 'sending' && message.chatId === null);
  if (isOpening() || (beginning && !ours)) held.add(push);
  if (!ours || phase !== 'idle') return;
  // A running opening will deliver what is missing.
  if (push.name === 'chatChanged' || (!apply(push) && !isOpening())) void reopen();
}

/** Applies a push to the open chat; false = earlier data that it needs is missing. */
function apply(push: Exclude<ChatPush, { name: 'chatChanged' }>): boolean {
  const { messages } = useChat.getState();
  const outcome: MessagesOutcome =
    push.name === 'answerText' ? applyText(messages, push.payload) : applyState(messages, push.payload);
  if (outcome.kind === 'messages') useChat.setState({ messages: outcome.messages });
  return outcome.kind === 'messages';
}

/** Applies pushes that waited for an opening or a new chat's id. Those that do not fit are older than what was read. */
export function applyHeld(): void {
  if (isOpening()) return;
  const { chatId } = useChat.getState();
  const pushes = held.take();
  if (pushes === null) void reopen();
  else
    for (const push of pushes) if (push.name !== 'chatChanged' && push.payload.chatId === chatId) apply(push);
}

/** Reads the open chat again: after a gap, a lost connection, or a change by another window. */
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

/** Shows an empty chat, with the focus where its first message is written. */
export function beginChat(): void {
  void openChat(null);
  focusComposer();
}

/** Shows a chat; null begins a new one. `find`: words to jump to and to highlight. */
export async function openChat(chatId: string | null, find: string | null = null): Promise<void> {
  saveOpenChat(chatId);
  // Pending openings of the previous chat no longer count.
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

/** Opens the chat that was open before a reload, if it still exists. */
export async function restoreChat(exists: (chatId: string) => boolean): Promise<void> {
  const chatId = loadOpenChat();
  if (chatId !== null && exists(chatId)) await openChat(chatId);
}

/** Requests another answer to the same message; `overruleMemory` bypasses the memory guard once. */
export async function retry(answerId: string, target: Target, overruleMemory = false): Promise<void> {
  const input = overruleMemory ? { answerId, target, overruleMemory } : { answerId, target };
  if (await perform('chatRetry', input)) await reopen();
}

export async function stop(answerId: string): Promise<void> {
  await perform('chatStop', { answerId });
}

export function setTarget(target: Target): void {
  saveTarget(target);
  useChat.setState({ target });
}

/** Returns to the automatic target if the chosen backend is none of these: it has been removed from the settings. */
export function checkTarget(instances: readonly BackendInstance[]): void {
  const { target } = useChat.getState();
  if (target.kind !== 'auto' && !instances.some(({ id }) => id === target.backend))
    setTarget({ kind: 'auto' });
}

export function setEditing(editing: string | null): void {
  useChat.setState({ editing });
}

/** Selects an older answer to a message, until there is a newer one. */
export function chooseAnswer(messageId: string, answer: string, newest: string): void {
  useChat.setState(({ chosen }) => ({ chosen: { ...chosen, [messageId]: { answer, newest } } }));
}
