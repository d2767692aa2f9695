import type { Answer, Message } from '../../shared/chat';
import type { PushPayload } from '../../shared/contract';

export type TextPush = PushPayload<'answerText'>;
export type StatePush = PushPayload<'answerState'>;

/** Text after a push; `gap` means that some of it was lost and the chat must be opened again. */
export type TextOutcome = { kind: 'text'; text: string } | { kind: 'gap' };

/** Adds a piece of an answer at its offset. Text that is already there is ignored; a hole is a gap. */
export function addText(held: string, { offset, text }: Pick<TextPush, 'offset' | 'text'>): TextOutcome {
  if (offset > held.length) return { kind: 'gap' };
  const fresh = text.slice(held.length - offset);
  return { kind: 'text', text: fresh === '' ? held : held + fresh };
}

/** Messages after a push; `gap` as above. */
export type MessagesOutcome = { kind: 'messages'; messages: readonly Message[] } | { kind: 'gap' };

export function isSettled(answer: Pick<Answer, 'status'>): boolean {
  return answer.status !== 'queued' && answer.status !== 'streaming';
}

/** Applies a piece of text to the messages of the open chat. */
export function applyText(messages: readonly Message[], push: TextPush): MessagesOutcome {
  const index = messages.findLastIndex((message) => message.id === push.answerId);
  const message = messages[index];
  if (message?.role !== 'assistant') return { kind: 'gap' };
  const outcome = addText(message.text, push);
  if (outcome.kind === 'gap') return outcome;
  if (outcome.text === message.text) return { kind: 'messages', messages };
  return { kind: 'messages', messages: messages.with(index, { ...message, text: outcome.text }) };
}

/**
 * Applies a new status or label. An unknown answer is added (another window requested it); an ended answer with less
 * text than it should have is a gap; one that starts over begins with empty text.
 */
export function applyState(messages: readonly Message[], push: StatePush): MessagesOutcome {
  const { answerId, chatId, replyTo, status, meta, length, at } = push;
  const index = messages.findLastIndex((message) => message.id === answerId);
  const message = messages[index];
  if (message === undefined) {
    if (length > 0 || !messages.some((other) => other.id === replyTo)) return { kind: 'gap' };
    const answer: Answer = { role: 'assistant', id: answerId, chatId, replyTo, text: '', status, meta, at };
    return { kind: 'messages', messages: [...messages, answer] };
  }
  if (message.role !== 'assistant') return { kind: 'gap' };
  const text = status === 'queued' && length === 0 ? '' : message.text;
  if (isSettled({ status }) && text.length < length) return { kind: 'gap' };
  return { kind: 'messages', messages: messages.with(index, { ...message, status, meta, at, text }) };
}

/**
 * Joins messages just read with those in memory: the core may have pushed more text since it read them, and it does not
 * push that text again.
 */
export function joinMessages(read: readonly Message[], held: readonly Message[]): readonly Message[] {
  const byId = new Map(held.map((message) => [message.id, message]));
  return read.map((message) => {
    const mine = byId.get(message.id);
    if (message.role !== 'assistant' || mine?.role !== 'assistant' || isSettled(message)) return message;
    if (mine.text.length > message.text.length && mine.text.startsWith(message.text)) {
      return { ...message, text: mine.text, status: mine.status, meta: mine.meta };
    }
    return message;
  });
}
