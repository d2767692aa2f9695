import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type ContractClient, connect } from '../../support/contract-client.ts';
import type { Sent } from './requests.ts';

export interface Ask {
  category: 'fast' | 'coding';
  stream: boolean;
  /** Number of tokens requested. */
  words: number;
  text?: string;
  /** The request uses its own connection and closes it at the end. */
  leaves?: boolean;
  /** Disconnects after this many bytes. */
  leaveAfter?: number;
}

const HEADERS = { 'content-type': 'application/json', 'user-agent': 'fault-bench' };
/** No request may take longer; one that does is lost. */
const LIMIT_MS = 600_000;

/** One request through the gateway, to its end. Never rejects. */
export async function askGateway(base: string, ask: Ask): Promise<Sent> {
  const { words } = ask;
  const id = randomUUID();
  const sent = emptySent(id, ask.stream ? 'stream' : 'whole', words);
  const begun = performance.now();
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), LIMIT_MS);
  try {
    const response = await fetch(`${base}/api/chat`, {
      method: 'POST',
      headers: { ...HEADERS, 'x-request-id': id, ...(ask.leaves ? { connection: 'close' } : {}) },
      body: JSON.stringify({
        model: 'auto',
        category: ask.category,
        stream: ask.stream,
        messages: [{ role: 'user', content: ask.text ?? `Count, ${id}` }],
        options: { num_predict: words },
      }),
      signal: controller.signal,
    });
    sent.status = response.status;
    sent.backend = response.headers.get('x-tandem-backend');
    sent.reasons = (response.headers.get('x-tandem-reasons') ?? '').split(',').filter(Boolean);
    const part = { backend: sent.backend ?? '', text: '' };
    sent.parts.push(part);
    let bytes = 0;
    const onLine = (line: string) => takeLine(sent, part, line);
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (ask.leaveAfter !== undefined && bytes >= ask.leaveAfter) {
        sent.left = true;
        controller.abort();
      }
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    }
    onLine(rest);
  } catch (error) {
    // Otherwise the fields known so far show how it ended.
    if (isRefused(error)) sent.code = 'refused';
  } finally {
    clearTimeout(timer);
  }
  sent.ms = performance.now() - begun;
  return sent;
}

/** Connection refused: nothing was accepted. */
function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return cause?.code === 'ECONNREFUSED';
}

function takeLine(sent: Sent, part: { text: string }, line: string): void {
  if (line.trim() === '') return;
  const frame = JSON.parse(line) as {
    message?: { content?: string };
    done?: boolean;
    code?: string;
    tandem?: { reasons?: string[] };
  };
  part.text += frame.message?.content ?? '';
  if (frame.code) sent.code = frame.code;
  if (frame.done && !sent.code) sent.ended = true;
  if (frame.tandem?.reasons) sent.reasons = frame.tandem.reasons;
}

/** One message in the chat, over the page's contract, to the end of its answer. Never rejects. */
export async function askChat(client: () => Promise<ContractClient>, words: number): Promise<Sent> {
  const sent = emptySent(randomUUID(), 'chat', words);
  const begun = performance.now();
  try {
    const ui = await client();
    const outcome = await ui.call('chatSend', {
      chatId: null,
      text: `Count, ${sent.id}`,
      target: { kind: 'auto' },
    });
    if (!outcome.ok) sent.code = outcome.error.code;
    else {
      sent.status = 200;
      await follow(sent, ui, outcome.value.chatId, begun);
    }
  } catch (error) {
    sent.status = 0;
    if (isRefused(error)) sent.code = 'refused';
  }
  sent.ms = performance.now() - begun;
  return sent;
}

async function follow(sent: Sent, ui: ContractClient, chatId: string, begun: number): Promise<void> {
  while (performance.now() - begun < LIMIT_MS) {
    await pause(100);
    const { messages } = await ui.value('chatOpen', { chatId });
    const answer = messages.find((message) => message.role === 'assistant');
    if (answer?.role !== 'assistant' || answer.status === 'queued' || answer.status === 'streaming') continue;
    const { meta, text } = answer;
    sent.id = answer.id;
    sent.ended = answer.status === 'done';
    sent.code = answer.status === 'done' ? null : (meta.error?.code ?? answer.status);
    sent.backend = meta.source;
    sent.reasons = meta.reasons;
    let from = 0;
    for (const { at, from: backend } of meta.breaks) {
      sent.parts.push({ backend, text: text.slice(from, at) });
      from = at;
    }
    sent.parts.push({ backend: meta.source ?? '', text: text.slice(from).trimStart() });
    return;
  }
}

function emptySent(id: string, kind: Sent['kind'], words: number): Sent {
  return {
    type: 'request',
    id,
    kind,
    at: Date.now(),
    ms: 0,
    words,
    status: 0,
    ended: false,
    left: false,
    code: null,
    backend: null,
    reasons: [],
    parts: [],
    fault: null,
  };
}

/** A page session that is renewed when the host has been replaced. */
export function pageOf(web: () => string): () => Promise<ContractClient> {
  let made: { web: string; client: Promise<ContractClient> } | null = null;
  return () => {
    if (made?.web !== web()) made = { web: web(), client: connect(web()) };
    made.client.catch(() => {
      made = null;
    });
    return made.client;
  };
}
