import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { MlxBackend } from '../../src/main/backends/mlx/mlx-backend';
import type { MlxBackendOptions } from '../../src/main/backends/mlx/mlx-options';
import type { Poster } from '../../src/main/ports/fetcher';
import { createNodeFetcher } from '../../src/main/ports/node-fetcher';
import { signalAll } from '../support/processes';
import { SLOW, TINY, writeRandomModel } from '../support/random-model';
import { babble, collect, never, PATIENT, realMlx, table, until } from '../support/real-mlx';
import { mlxPython, smallModel } from '../support/runtimes';

let folder: string;
let models: Record<string, string>;
const http = createNodeFetcher();
const started: MlxBackend[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-mlx-'));
  models = {
    tiny: await writeRandomModel(join(folder, 'tiny'), TINY),
    slow: await writeRandomModel(join(folder, 'slow'), SLOW),
  };
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((backend) => backend.stop()));
});

afterAll(async () => {
  await http.close();
  await rm(folder, { recursive: true, force: true });
});

function create(options: Partial<MlxBackendOptions> = {}): MlxBackend {
  const backend = realMlx(folder, models, http, options);
  started.push(backend);
  return backend;
}

describe('mlx_lm.server as a backend', () => {
  let backend: MlxBackend;

  beforeAll(async () => {
    backend = realMlx(folder, models, http);
    await backend.start();
    await backend.ensureReady();
  });
  afterAll(() => backend?.stop());

  test('streams text and ends with the counts of the server', async () => {
    expect(backend.status()).toMatchObject({
      state: 'ready',
      model: 'slow',
      ownership: 'managed',
      restarts: 0,
    });
    const chunks = await collect(backend.stream(babble(64), never));
    expect(chunks[0]?.type).toBe('prefill');
    expect(chunks.filter((chunk) => chunk.type === 'text').length).toBeGreaterThan(0);
    expect(chunks.at(-1)).toMatchObject({ type: 'end', end: { reason: 'length', completionTokens: 64 } });
    expect(backend.status()).toMatchObject({ state: 'ready', activeRequests: 0 });
  });

  test('cancel before the first byte settles at once and leaves nothing computing', async () => {
    const abort = new AbortController();
    const pending = collect(backend.stream(babble(2000), abort.signal));
    abort.abort();
    await expect(pending).rejects.toMatchObject({ code: 'cancelled' });
    await backend.drained();
    expect(backend.status()).toMatchObject({ state: 'ready', activeRequests: 0, draining: 0 });
  });

  test('cancel in the middle of an answer drains, and the next request is answered', async () => {
    const abort = new AbortController();
    const cancelled = async () => {
      for await (const chunk of backend.stream(babble(2000), abort.signal))
        if (chunk.type === 'text') abort.abort();
    };
    await expect(cancelled()).rejects.toMatchObject({ code: 'cancelled' });
    expect(backend.status()).toMatchObject({ activeRequests: 0, draining: 1, stage: 'draining' });
    await backend.drained();
    expect(backend.status().draining).toBe(0);
    const chunks = await collect(backend.stream(babble(3), never));
    expect(chunks.at(-1)).toMatchObject({ type: 'end', end: { completionTokens: 3 } });
  });

  test('drained, called during the abort itself, waits for the server', async () => {
    const abort = new AbortController();
    const order: string[] = [];
    let drained: Promise<unknown> = Promise.resolve();
    abort.signal.addEventListener('abort', () => {
      drained = backend.drained().then(() => order.push(`drained, ${backend.status().draining} left`));
    });
    backend.onStatus((status) => {
      const now = `${status.activeRequests} active, ${status.draining} draining`;
      // A status is also emitted for memory figures.
      if (order.at(-1) !== now) order.push(now);
    });
    const answer = async () => {
      for await (const chunk of backend.stream(babble(2000), abort.signal))
        if (chunk.type === 'text') abort.abort();
    };
    await expect(answer()).rejects.toMatchObject({ code: 'cancelled' });
    await drained;
    expect(order.filter((entry) => !entry.startsWith('1 active, 0'))).toEqual([
      '0 active, 1 draining',
      '0 active, 0 draining',
      'drained, 0 left',
    ]);
  });

  test('leaving the iteration early cancels too', async () => {
    for await (const chunk of backend.stream(babble(2000), never)) if (chunk.type === 'text') break;
    await backend.drained();
    expect(backend.status()).toMatchObject({ state: 'ready', activeRequests: 0, draining: 0 });
  });

  test('requests that kill a bare server are rejected or made safe', async () => {
    const hot = { ...babble(3), sampling: { maxTokens: 3, temperature: 1, topK: 100_000, seed: 7 } };
    expect((await collect(backend.stream(hot, never))).at(-1)?.type).toBe('end');
    const bad = { ...babble(3), sampling: { minP: Number.NaN } };
    await expect(collect(backend.stream(bad, never))).rejects.toMatchObject({ code: 'bad_request' });
    expect((await collect(backend.stream(babble(3), never))).at(-1)?.type).toBe('end');
    expect(backend.status()).toMatchObject({ state: 'ready', restarts: 0 });
  });

  test('another installed model is loaded on request; an unknown one never reaches the server', async () => {
    await expect(collect(backend.stream(babble(3, 'nope'), never))).rejects.toMatchObject({
      code: 'model_not_found',
    });
    expect(backend.status().model).toBe('slow');
    await collect(backend.stream(babble(3, 'tiny'), never));
    expect(backend.status().model).toBe('tiny');
  });

  test('a request for one token is answered again and again, although its whole prompt is cached', async () => {
    const { pid } = backend.status();
    for (let retry = 0; retry < 3; retry += 1) {
      const chunks = await collect(backend.stream(babble(1, 'tiny'), never));
      expect(chunks.at(-1)).toMatchObject({ type: 'end', end: { completionTokens: 1 } });
    }
    expect(backend.status()).toMatchObject({ state: 'ready', restarts: 0, pid });
  });

  test('a request without messages only loads its model', async () => {
    expect(backend.status().model).toBe('tiny');
    const chunks = await collect(backend.stream({ ...babble(3, 'slow'), messages: [] }, never));
    expect(chunks).toMatchObject([{ type: 'end', end: { reason: 'load' } }]);
    expect(backend.status().model).toBe('slow');
  });
});

describe('the process of mlx_lm.server', () => {
  test('reports the memory that it uses with its model loaded, and how long the load took', async () => {
    const loads: [string, number][] = [];
    const backend = create({ onLoaded: (name, seconds) => loads.push([name, seconds]) });
    await backend.start();
    await backend.ensureReady();
    const resident = (await table.residentBytes(backend.status().pid ?? 0)) ?? Number.NaN;
    await until(backend, ({ memoryBytes }) => (memoryBytes ?? 0) > resident * 0.9);
    expect(loads).toEqual([['slow', expect.any(Number)]]);
  });

  test('kill -9 in the middle of an answer is a typed failure, and the server restarts automatically', async () => {
    const backend = create();
    await backend.start();
    await backend.ensureReady();
    const { pid } = backend.status();
    const killed = async () => {
      for await (const chunk of backend.stream(babble(2000), never)) {
        if (chunk.type === 'text' && pid !== null) signalAll([pid], 'SIGKILL');
      }
    };
    await expect(killed()).rejects.toMatchObject({ code: 'backend_failed' });
    await until(backend, (status) => status.state === 'backoff');
    expect(backend.status()).toMatchObject({ lastError: { code: 'killed' }, readySince: null, pid: null });
    await backend.ensureReady();
    expect(backend.status()).toMatchObject({ state: 'ready', restarts: 1 });
    expect(backend.status().pid).not.toBe(pid);
  });

  test('a model that cannot be loaded opens the breaker with its cause; a manual restart tries again', async () => {
    let name = 'missing';
    const backend = create({ preload: async () => ({ name, folder: join(folder, name) }) });
    await backend.start();
    await expect(backend.ensureReady()).rejects.toMatchObject({ code: 'mlx_down' });
    expect(backend.status()).toMatchObject({ state: 'open', lastError: { code: 'bad_model' }, pid: null });
    name = 'tiny';
    await backend.restart('test');
    expect(backend.status()).toMatchObject({ state: 'ready', model: 'tiny', restarts: 0 });
  });

  test('a stopped process counts as hung, is killed and started again', async () => {
    const backend = create({ hang: { ...PATIENT, silenceMs: 8_000 } });
    await backend.start();
    await backend.ensureReady();
    const { pid } = backend.status();
    const frozen = async () => {
      for await (const chunk of backend.stream(babble(2000), never)) {
        if (chunk.type === 'text' && pid !== null) signalAll([pid], 'SIGSTOP');
      }
    };
    await expect(frozen()).rejects.toMatchObject({ code: 'backend_failed' });
    await backend.ensureReady();
    expect(backend.status()).toMatchObject({
      state: 'ready',
      restarts: 1,
      lastError: { code: 'stalled', outside: true },
    });
  });

  test('a cancelled request that continues to compute costs the process, and frees waiting requests', async () => {
    const backend = create({ hang: { ...PATIENT, unknownStepMs: 8_000, drainMs: 8_000 } });
    await backend.start();
    await backend.ensureReady();
    const { pid } = backend.status();
    const abort = new AbortController();
    const stuck = async () => {
      for await (const chunk of backend.stream(babble(2000), abort.signal)) {
        if (chunk.type !== 'text' || pid === null) continue;
        process.kill(pid, 'SIGSTOP');
        abort.abort();
      }
    };
    await expect(stuck()).rejects.toMatchObject({ code: 'cancelled' });
    expect(backend.status().draining).toBe(1);
    await backend.drained();
    await backend.ensureReady();
    expect(backend.status()).toMatchObject({ state: 'ready', draining: 0, restarts: 1 });
  });

  test('manual restart gives a new process and a fresh counter', async () => {
    const backend = create();
    await backend.start();
    await backend.ensureReady();
    const { pid } = backend.status();
    const stages = new Set<string>();
    backend.onStatus((status) => stages.add(status.stage));
    await backend.restart('test');
    expect(backend.status()).toMatchObject({ state: 'ready', restarts: 0, lastError: null });
    expect(backend.status().pid).not.toBe(pid);
    expect([...stages]).toEqual(['terminating', 'spawning', 'loading', 'probing', 'idle']);
  });

  test('stop leaves no process', async () => {
    const backend = create();
    await backend.start();
    await backend.ensureReady();
    const pid = backend.status().pid ?? 0;
    await backend.stop();
    expect(await table.identify(pid)).toBeNull();
    expect(backend.status()).toMatchObject({ state: 'stopped', pid: null });
    await expect(backend.ensureReady()).rejects.toMatchObject({ code: 'mlx_down' });
  });

  test('without Python it is absent with the cure, and starts when the set-up has finished', async () => {
    let ready = false;
    const backend = create({
      locate: async () =>
        ready
          ? { path: mlxPython() }
          : { absent: { code: 'no_python', cure: 'Install Python.', setup: true } },
    });
    await backend.start();
    expect(backend.status()).toMatchObject({
      state: 'absent',
      stage: 'setup',
      absence: { code: 'no_python' },
    });
    await expect(backend.ensureReady()).rejects.toMatchObject({ code: 'backend_absent' });
    ready = true;
    await backend.relocate();
    await backend.ensureReady();
    expect(backend.status()).toMatchObject({ state: 'ready', absence: null });
  });
});

/** A call to the server: its body, and how many tokens of its prompt were in the cache. */
interface Call {
  body: Record<string, unknown>;
  cachedTokens: number | null;
}

/** Sends on, and records the calls. */
function recording(calls: Call[]): Poster {
  return async (url, post) => {
    const text = typeof post.body === 'string' ? post.body : Buffer.concat(post.body).toString();
    const call: Call = { body: JSON.parse(text), cachedTokens: null };
    calls.push(call);
    const answer = await http.post(url, post);
    return {
      status: answer.status,
      json: () => answer.json(),
      close: (complete) => answer.close(complete),
      async *bytes() {
        let received = '';
        for await (const bytes of answer.bytes()) {
          received += Buffer.from(bytes).toString();
          call.cachedTokens = Number(/"cached_tokens": ?(\d+)/.exec(received)?.[1] ?? Number.NaN);
          yield bytes;
        }
      },
    };
  };
}

/** `<|im_start|>system\n`, the small model's system prompt, `<|im_end|>\n<|im_start|>user\n`. */
const SYSTEM_TOKENS = 14;

describe('the system prompt of the small model', () => {
  test('is computed once, at the load, and not again for a message', async () => {
    const calls: Call[] = [];
    const small = { name: 'small', folder: smallModel().mlx };
    const backend = create({
      preload: async () => small,
      resolveModel: async () => small.folder,
      post: recording(calls),
    });
    const cachedFor = async (...messages: { role: 'system' | 'user'; content: string }[]) => {
      await collect(backend.stream({ id: 'r', model: 'small', messages, sampling: { maxTokens: 1 } }, never));
      return calls.at(-1)?.cachedTokens;
    };
    const asked = { role: 'user', content: 'What is two and two?' } as const;
    await backend.start();
    await backend.ensureReady();
    // The template adds the system prompt.
    expect(calls).toMatchObject([{ body: { messages: [{ role: 'user' }], max_tokens: 1 }, cachedTokens: 0 }]);
    expect(await cachedFor(asked)).toBe(SYSTEM_TOKENS);
    // A system prompt of the client's own replaces it.
    expect(await cachedFor({ role: 'system', content: 'Be brief.' }, asked)).toBeLessThan(SYSTEM_TOKENS);
  });
});
