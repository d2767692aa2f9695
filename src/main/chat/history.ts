import type { Answer, Message, Target } from '../../shared/chat';
import type { ChatMessage } from '../../shared/completion';
import type { ModelChoice } from '../../shared/domain';
import { saidText } from '../../shared/thinking';

/**
 * The conversation that a model gets for an answer to `replyTo`: every user message up to it, each followed by its
 * newest answer with text of a model, without the thinking. Tandem's own texts and failed answers are left out.
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

/** The model choice for a target in the chat. */
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

/** A first title: the first line, cut at a word. */
export function firstTitle(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  if (line.length <= 60) return line;
  const cut = line.slice(0, 60);
  return `${cut.slice(0, Math.max(30, cut.lastIndexOf(' ')))}…`;
}

/** Does it contain text of a model? */
function isTurn(answer: Answer): boolean {
  return saidText(answer) !== '' && answer.meta.source !== 'app' && answer.status !== 'failed';
}
