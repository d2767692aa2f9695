import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type ContractClient, connect } from '../../support/contract-client.ts';
import type { MeteredApp } from '../../support/metered-app.ts';
import { MODELS } from './world.ts';

/** The kind of a request; `KINDS` defines the shares. */
type Kind = 'plain' | 'tools' | 'fail' | 'break' | 'cancel' | 'bad' | 'list' | 'chat';

/** A cycle of a hundred requests; the chat, which is slower, gets one in four hundred. */
const KINDS: readonly Kind[] = [
  ...Array<Kind>(78).fill('plain'),
  ...Array<Kind>(5).fill('tools'),
  ...Array<Kind>(3).fill('fail'),
  ...Array<Kind>(3).fill('break'),
  ...Array<Kind>(6).fill('cancel'),
  ...Array<Kind>(3).fill('bad'),
  ...Array<Kind>(2).fill('list'),
];
const CHAT_EVERY = 400;
const LANES = 16;
/** More clients than the host tracks separately. */
const CLIENTS = 2_000;
const TOOLS = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
/** Before the server's first token. */
const LEAVE_MS = 20;
/** The undo time of a deleted chat, and the timeout of unused connections. */
const REST_MS = 15_000;

export interface Sums {
  sent: number;
  /** How many of them are completions, which the queue counts. */
  completions: number;
  /** Descriptions of the first few unexpected responses. */
  wrong: string[];
  byKind: Partial<Record<Kind, number>>;
}

/** Sends requests of all kinds to a host, several at a time. */
export class Traffic {
  readonly sums: Sums = { sent: 0, completions: 0, wrong: [], byKind: {} };
  readonly #app: MeteredApp;
  readonly #ui: ContractClient;
  readonly #page: WebSocket;

  private constructor(app: MeteredApp, ui: ContractClient, page: WebSocket) {
    this.#app = app;
    this.#ui = ui;
    this.#page = page;
  }

  /** With one open page, which gets pushes all the time. */
  static async open(app: MeteredApp): Promise<Traffic> {
    const ui = await connect(app.ready.web);
    const page = new WebSocket(
      `${new URL(app.ready.web).origin.replace('http', 'ws')}/api/push?ticket=${await ui.ticket()}`,
    );
    await new Promise((settle, reject) => {
      page.addEventListener('open', settle);
      page.addEventListener('error', reject);
    });
    return new Traffic(app, ui, page);
  }

  /** Sends requests up to this number, and waits until the host is at rest. */
  async run(until: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: LANES });
    const lane = async () => {
      while (this.sums.sent < until) {
        const index = this.sums.sent;
        this.sums.sent += 1;
        await this.#one(index, agent);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    agent.destroy();
    await pause(REST_MS);
  }

  close(): void {
    this.#page.close();
  }

  async #one(index: number, agent: Agent): Promise<void> {
    const kind = index % CHAT_EVERY === 0 ? 'chat' : (KINDS[(index * 37) % KINDS.length] ?? 'plain');
    this.sums.byKind[kind] = (this.sums.byKind[kind] ?? 0) + 1;
    if (kind !== 'bad' && kind !== 'list') this.sums.completions += 1;
    try {
      const found = kind === 'chat' ? await this.#chat(index) : await send(this.#app, kind, index, agent);
      if (found !== null) this.#wrong(`${kind} ${index}: ${found}`);
    } catch (error) {
      this.#wrong(`${kind} ${index}: ${error}`);
    }
  }

  #wrong(words: string): void {
    this.sums.wrong.push(words.slice(0, 300));
  }

  async #chat(index: number): Promise<string | null> {
    const target = { kind: 'auto' } as const;
    const text = `write a function number ${index}`;
    const { chatId, answerId } = await this.#ui.value('chatSend', { chatId: null, text, target });
    for (;;) {
      const { messages } = await this.#ui.value('chatOpen', { chatId });
      const answer = messages.find(({ id }) => id === answerId);
      if (answer?.role !== 'assistant') return 'no answer';
      if (answer.status === 'queued' || answer.status === 'streaming') {
        await pause(20);
        continue;
      }
      await this.#ui.value('chatDelete', { chatId });
      return answer.status === 'done' ? null : answer.status;
    }
  }
}

/** Null when the response is as expected. */
async function send(app: MeteredApp, kind: Kind, index: number, agent: Agent): Promise<string | null> {
  const base = index % 5 === 0 ? app.ready.mlxApi : app.ready.gateway;
  if (kind === 'list') {
    const { status } = await exchange(agent, `${base}/api/tags`, null, index);
    return status === 200 ? null : `status ${status}`;
  }
  const { path, body } = requestOf(kind, index);
  if (kind === 'cancel') return leave(agent, base + path, body, index);
  const { status, text } = await exchange(agent, base + path, body, index);
  if (kind === 'bad') return status === 400 ? null : `status ${status}`;
  if (kind === 'fail') return status === 502 || status === 503 ? null : `status ${status} ${text}`;
  const last = JSON.parse(text.trim().split('\n').at(-1) ?? '') as { done?: boolean; error?: string };
  if (kind === 'break') return status === 502 || last.error !== undefined ? null : text;
  const right = status === 200 && last.done === true && (kind !== 'tools' || text.includes('tool_calls'));
  return right ? null : `status ${status} ${text}`;
}

function requestOf(kind: Kind, index: number): { path: string; body: object } {
  const way = {
    plain: 'plain',
    tools: 'tools',
    fail: 'fail',
    break: 'break',
    cancel: 'slow',
    bad: '',
    list: '',
    chat: '',
  }[kind];
  const backend = kind === 'tools' || index % 3 !== 0 ? 'ollama' : 'mlx';
  const prompt = `soak:${way} number ${index} ${'word '.repeat(index % 50)}`;
  const common = {
    model:
      kind === 'bad'
        ? '../etc'
        : index % 7 === 0 && kind === 'plain'
          ? 'auto'
          : `${backend}/${MODELS[backend]}`,
    stream: kind === 'break' || index % 2 === 0,
    options: { num_predict: 16 },
  };
  if (kind !== 'tools' && index % 4 === 1) return { path: '/api/generate', body: { ...common, prompt } };
  const messages = [{ role: 'user', content: prompt }];
  return { path: '/api/chat', body: { ...common, messages, ...(kind === 'tools' ? { tools: TOOLS } : {}) } };
}

const headersOf = (index: number) => ({
  'content-type': 'application/json',
  'user-agent': `client-${index % CLIENTS}/1.0`,
  'x-tandem-strict': 'true',
});

function exchange(
  agent: Agent,
  url: string,
  body: object | null,
  index: number,
): Promise<{ status: number; text: string }> {
  return new Promise((settle, reject) => {
    const sent = request(
      url,
      { agent, method: body ? 'POST' : 'GET', headers: headersOf(index) },
      (answer: IncomingMessage) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => settle({ status: answer.statusCode ?? 0, text }));
        answer.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body ? JSON.stringify(body) : undefined);
  });
}

/** Closes the connection before the first token. */
function leave(agent: Agent, url: string, body: object, index: number): Promise<string | null> {
  return new Promise((settle) => {
    const sent = request(url, { agent, method: 'POST', headers: headersOf(index) }, (answer) => {
      settle(`answered with ${answer.statusCode}`);
      answer.resume();
    });
    sent.on('error', () => {});
    sent.on('close', () => settle(null));
    sent.end(JSON.stringify(body));
    setTimeout(() => sent.destroy(), LEAVE_MS);
  });
}
