import type { Answer, Message, UserMessage } from '../../../shared/chat';

/** A user message with all its answers, oldest first. */
export interface Turn {
  user: UserMessage;
  answers: readonly Answer[];
}

/** Groups messages into turns. Answers keep their order; an answer without its message is left out. */
export function groupTurns(messages: readonly Message[]): Turn[] {
  const answers = new Map<string, Answer[]>();
  for (const message of messages) {
    if (message.role !== 'assistant') continue;
    const list = answers.get(message.replyTo);
    if (list) list.push(message);
    else answers.set(message.replyTo, [message]);
  }
  return messages
    .filter((message) => message.role === 'user')
    .map((user) => ({ user, answers: answers.get(user.id) ?? [] }));
}
