import type { BackendRequest } from '../../src/main/backends/backend';
import { OllamaApi } from '../../src/main/backends/dialects/ollama/ollama-api';
import { NdjsonReader } from '../../src/main/backends/dialects/ollama/protocol';
import { toOllamaCall } from '../../src/main/backends/dialects/ollama/request';
import { SseReader } from '../../src/main/backends/dialects/openai/protocol';
import type { FrameReader } from '../../src/main/backends/dialects/stream-completion';
import { BackendRegistry } from '../../src/main/backends/registry';
import { Completions } from '../../src/main/backends/watch/completions';
import { DEFAULT_STREAM_LIMITS } from '../../src/main/backends/watch/stream-limits';
import { RequestDispatcher } from '../../src/main/dispatch/dispatcher';
import { Fingerprints } from '../../src/main/dispatch/suspects/fingerprints';
import { ollamaEncoder } from '../../src/main/gateway/dialects/ollama';
import { readChat } from '../../src/main/gateway/dialects/ollama-request';
import { systemClock } from '../../src/main/ports/clock';
import { silentLogger } from '../../src/main/ports/logger';
import { RequestQueue } from '../../src/main/queue/request-queue';
import { decideByRules } from '../../src/main/router/decide';
import { MeasuredTimes } from '../../src/main/times/measured-times';
import type { CompletionChunk, CompletionRequest, Output } from '../../src/shared/completion';
import { defaultSettings } from '../../src/shared/settings';
import { INSTANCES, routeBackend } from '../support/backends';
import { MemoryFiles } from '../support/memory-files';
import { model, ScriptedBackend } from '../support/scripted-backend';

const MODEL = 'steady';
const encoder = () => ollamaEncoder('chat', MODEL, () => systemClock.wall());

/** Bytes of an answer as its server sends them, one frame in each chunk. */
export interface Upstream {
  frames: Uint8Array[];
  reader: () => FrameReader;
}

const bytesOf = (text: string) => Buffer.from(text);

/** CPU time of this process so far, µs: other programs on the machine do not count. */
function spent(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

export function fromOllama(count: number): Upstream {
  const head = { model: MODEL, created_at: '2026-01-01T00:00:00.000000000Z' };
  const line = (content: string, more: object) =>
    bytesOf(`${JSON.stringify({ ...head, message: { role: 'assistant', content }, ...more })}\n`);
  const frames = Array.from({ length: count }, (_, index) => line(` word${index}`, { done: false }));
  const done = { done: true, done_reason: 'stop', prompt_eval_count: 9, eval_count: count };
  return { frames: [...frames, line('', done)], reader: () => new NdjsonReader() };
}

export function fromMlx(count: number): Upstream {
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', model: '/models/steady', created: 1 };
  const event = (choice: object) =>
    bytesOf(`data: ${JSON.stringify({ ...head, choices: [{ index: 0, ...choice }] })}\n\n`);
  const frames = Array.from({ length: count }, (_, index) =>
    event({ finish_reason: null, delta: { role: 'assistant', content: ` word${index}` } }),
  );
  const last = [event({ finish_reason: 'stop', delta: {} }), bytesOf('data: [DONE]\n\n')];
  return { frames: [...frames, ...last], reader: () => new SseReader('MLX') };
}

/** µs per frame through reader, form and encoder alone. */
export function translation({ frames, reader }: Upstream): number {
  const { frame } = encoder();
  const read = reader();
  const begin = spent();
  let written = 0;
  for (const bytes of frames)
    for (const chunk of read.push(bytes)) if (isOutput(chunk)) written += frame(chunk).length;
  const us = spent() - begin;
  if (written < frames.length) throw new Error('frames were lost');
  return us / frames.length;
}

function isOutput(chunk: CompletionChunk): chunk is Output {
  return chunk.type !== 'end' && chunk.type !== 'prefill';
}

/** µs per frame of a whole request: a completion from Ollama through the dispatcher and the encoder, without sockets. */
export async function dispatched({ frames }: Upstream): Promise<number> {
  const request = await requestOf({
    model: `ollama/${MODEL}`,
    messages: [{ role: 'user', content: 'hello' }],
  });
  const dispatcher = dispatcherOver(frames);
  const { frame } = encoder();
  let written = 0;
  const begin = spent();
  for await (const event of dispatcher.dispatch(request, new AbortController().signal))
    if (event.type === 'text') written += frame(event).length;
  const us = spent() - begin;
  if (written < frames.length) throw new Error('frames were lost');
  return us / frames.length;
}

function dispatcherOver(frames: Uint8Array[]): RequestDispatcher {
  const clock = systemClock;
  const api = new OllamaApi({
    url: 'http://127.0.0.1:9',
    fetcher: fetch,
    instanceId: 'bench',
    post: async () => ({
      status: 200,
      bytes: async function* () {
        yield* frames;
      },
      json: async () => null,
      close: () => {},
    }),
  });
  const completions = new Completions(clock, DEFAULT_STREAM_LIMITS, () => {});
  class Served extends ScriptedBackend {
    override stream(request: BackendRequest, signal: AbortSignal) {
      return completions.run(api, request, signal);
    }
  }
  const settings = { ...defaultSettings(), rateLimitMax: 0 };
  return new RequestDispatcher({
    decider: { limitMs: null, decide: decideByRules },
    queue: new RequestQueue({
      clock,
      slots: { mlx: 1, ollama: 1 },
      rateLimit: () => ({ max: 0, windowMs: 1 }),
    }),
    backends: new BackendRegistry([new Served('mlx', clock), new Served('ollama', clock)]),
    snapshot: () => ({
      settings,
      backends: [routeBackend('mlx'), routeBackend('ollama')],
      models: [model('ollama', MODEL, 8)],
      memory: 'normal',
    }),
    refresh: async () => {},
    measured: new MeasuredTimes(),
    fingerprints: new Fingerprints({
      files: new MemoryFiles(),
      path: 'suspects',
      clock,
      logger: silentLogger,
    }),
    clock,
    logger: silentLogger,
    onFinished: () => {},
  });
}

/** µs to read one chat request of so many messages, and to write it for Ollama. */
export async function requestTimes(
  messages: number,
  rounds: number,
): Promise<{ read: number; write: number }> {
  const content = 'word '.repeat(40);
  const turn = (index: number) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content });
  const text = JSON.stringify({
    model: MODEL,
    messages: Array.from({ length: messages }, (_, at) => turn(at)),
  });
  const bodies = Array.from({ length: rounds }, () => JSON.parse(text));
  const requests: CompletionRequest[] = [];
  const begin = spent();
  for (const body of bodies) requests.push(await requestOf(body));
  const read = spent();
  let paths = 0;
  for (const request of requests) paths += toOllamaCall({ ...request, model: MODEL }).path.length;
  const written = spent();
  if (paths === 0) throw new Error('nothing was written');
  return { read: (read - begin) / rounds, write: (written - read) / rounds };
}

async function requestOf(body: object): Promise<CompletionRequest> {
  const rules = {
    modelOptional: false,
    defaultCategory: undefined,
    firstBackend: undefined,
    backends: INSTANCES,
    named: () => [],
  };
  const { request } = await readChat(body, rules);
  return { ...request, id: 'r', priority: 'high', client: 'bench', strict: false, origin: 'gateway' };
}
