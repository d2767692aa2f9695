import { OllamaApi } from '../../src/main/backends/ollama/ollama-api';
import type { Fetcher, Post, PostAnswer, Poster } from '../../src/main/ports/fetcher';

/** The server's response to one completion: an error, or frames and then an end, a reset or silence. */
export type Way =
  | { status: number; error: string }
  | { frames: readonly object[]; last: 'end' | 'silence' | 'reset' };

export const say = (content: string) => ({ message: { role: 'assistant', content }, done: false });
export const DONE = {
  message: { role: 'assistant', content: '' },
  done: true,
  done_reason: 'stop',
  eval_count: 1,
};
/** A whole answer. */
export const ANSWER: Way = { frames: [say('hi'), DONE], last: 'end' };
export const SILENCE: Way = { frames: [], last: 'silence' };

/** An Ollama without network and clock: a test scripts its response to each completion. */
export class ScriptedOllama {
  /** Responses to the next completions; when none is left, it sends `ANSWER`. */
  readonly ways: Way[] = [];
  /** Bodies of the completion requests. */
  readonly asked: Record<string, unknown>[] = [];
  /** The models that `/api/ps` reports. */
  loaded: { name: string; size?: number; context_length?: number }[] = [];
  /** Fields merged into all responses except completions. */
  facts: Record<string, unknown> = {};
  /** Paths that no longer get a response. */
  silent: readonly string[] = [];
  /** Refuses all connections. */
  gone = false;
  /** Requested paths, except completions. */
  readonly questions: string[] = [];
  /** The fetcher, for tests that create their own API object. */
  readonly fetcher = ((url: string, init: RequestInit) => this.#fetch(url, init)) as unknown as Fetcher;
  readonly post: Poster = (url, post) => this.#post(url, post);
  readonly api: OllamaApi;

  constructor(...ways: Way[]) {
    this.ways.push(...ways);
    this.api = new OllamaApi({
      url: 'http://127.0.0.1:11434',
      fetcher: this.fetcher,
      post: this.post,
      instanceId: 'test',
    });
  }

  async #fetch(url: string, { signal }: RequestInit): Promise<Response> {
    const { pathname } = new URL(url);
    this.questions.push(pathname);
    if (this.gone) throw refused();
    if (!this.silent.includes(pathname)) return Response.json({ models: this.loaded, ...this.facts });
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  async #post(url: string, { body, signal }: Post): Promise<PostAnswer> {
    const asked = JSON.parse(typeof body === 'string' ? body : Buffer.concat(body).toString()) as Record<
      string,
      unknown
    >;
    signal.throwIfAborted();
    if (this.gone) throw refused();
    if (url.endsWith('/api/generate') && asked.keep_alive === 0) {
      this.loaded = this.loaded.filter(({ name }) => name.replace(/:latest$/, '') !== asked.model);
      return answer({ frames: [{ done: true, done_reason: 'unload' }], last: 'end' }, signal);
    }
    this.asked.push(asked);
    return answer(this.ways.shift() ?? ANSWER, signal);
  }
}

const refused = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

function answer(way: Way, signal: AbortSignal): PostAnswer {
  if ('status' in way) {
    return {
      status: way.status,
      bytes: async function* () {},
      json: async () => ({ error: way.error }),
      close() {},
    };
  }
  return { status: 200, bytes: () => bytes(way, signal), json: async () => ({}), close() {} };
}

async function* bytes(
  way: Extract<Way, { frames: unknown }>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (const frame of way.frames) yield new TextEncoder().encode(`${JSON.stringify(frame)}\n`);
  if (way.last === 'reset') throw Object.assign(new Error('terminated'), { code: 'ECONNRESET' });
  if (way.last === 'end') return;
  await new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
