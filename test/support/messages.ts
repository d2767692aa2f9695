import type { Answer, UserMessage } from '../../src/shared/chat';
import { emptyMeta } from '../../src/shared/empty-meta';

/** A user message and its answer as the chat service stores them. */
export function turn(
  chatId: string,
  number: number,
  text = `question ${number}`,
): { user: UserMessage; answer: Answer } {
  const user: UserMessage = { role: 'user', id: `${chatId}-u${number}`, chatId, text, at: number * 1000 };
  return { user, answer: answerTo(user, `${chatId}-a${number}`) };
}

export function answerTo(user: UserMessage, id: string, text = ''): Answer {
  return {
    role: 'assistant',
    id,
    chatId: user.chatId,
    replyTo: user.id,
    text,
    status: 'queued',
    meta: emptyMeta(),
    at: user.at + 1,
  };
}
