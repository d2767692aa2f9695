import type { Answer, Message, Target } from '../../shared/chat';
import type { ChatMessage, ModelChoice } from '../../shared/domain';
import { saidText } from '../../shared/thinking';

/**
 * The turns that a model is shown for an answer to `replyTo`: every user message up to it, each followed by the
 * newest answer that holds text of a model, without its thinking. Tandem's own words and failures are left out.
 */
export function conversation(messages: readonly Message[], replyTo: string): ChatMessage[] {
  const answers = new Map<string, Answer>();
  for (const message of messages) {
    if (message.role === 'assistant' && isTurn(message)) answers.set(message.replyTo, message);
  }
  const turns: ChatMessage[] = [];
  for (const message of messages) {
    if (message.role !== 'user') continue;
    turns.push({ role: 'user', content: message.text });
    if (message.id === replyTo) break;
    const answer = answers.get(message.id);
    if (answer) turns.push({ role: 'assistant', content: saidText(answer) });
  }
  return turns;
}

/** The model choice that a target in the chat stands for. */
export function modelChoice(target: Target): ModelChoice {
  switch (target.kind) {
    case 'auto':
      return { kind: 'auto' };
    case 'backend':
      return { kind: 'backend', backend: target.backend };
    case 'model':
      return { kind: 'named', name: target.model, backend: target.backend };
    default:
      return target satisfies never;
  }
}

/** A title until a better one is made: the first line, cut at a word. */
export function firstTitle(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  if (line.length <= 60) return line;
  const cut = line.slice(0, 60);
  return `${cut.slice(0, Math.max(30, cut.lastIndexOf(' ')))}…`;
}

/** Did a model say anything in it? */
function isTurn(answer: Answer): boolean {
  return saidText(answer) !== '' && answer.meta.source !== 'app' && answer.status !== 'failed';
}
