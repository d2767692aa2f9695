import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { OllamaApi } from '../../src/main/backends/dialects/ollama/ollama-api';
import { OpenAiBackend } from '../../src/main/backends/openai/openai-backend';
import { systemClock } from '../../src/main/ports/clock';
import { findPortHolder } from '../../src/main/ports/port-holder';
import { MLX } from '../support/backends';
import { babble, collect, never, OwnOllama, until } from '../support/own-ollama';
import { signalAll } from '../support/processes';
import { ollamaProgram } from '../support/runtimes';

let own: OwnOllama;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  own = await OwnOllama.make();
});
afterEach(async () => {
  await own.stopAll();
  for (const clean of cleanups.splice(0)) await clean();
});
afterAll(() => own.remove());

/** Short, so that a silence is judged within the test; the shipped values are in `stream-limits.ts`. */
const QUICK = { stallMs: () => 3000, lookEveryMs: 100 };

/** A server that Tandem did not start; the host `127.0.0.1:0` means any free port. */
async function foreignOllama(host = '127.0.0.1:0'): Promise<{ url: string; process: ChildProcess }> {
  const child = spawn(ollamaProgram(), ['serve'], {
    env: { ...own.environment(), OLLAMA_HOST: host, OLLAMA_NO_CLOUD: '1', OLLAMA_NOPRUNE: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  cleanups.push(() => {
    child.kill('SIGTERM');
    return exited;
  });
  const port = await new Promise<string>((resolve) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      const match = /Listening on 127\.0\.0\.1:(\d+)/.exec(text);
      if (match?.[1]) resolve(match[1]);
    });
  });
  return { url: `http://127.0.0.1:${port}`, process: child };
}

describe('an Ollama of our own', () => {
  test('starts on a private port, lists what is installed and streams', async () => {
    const backend = await own.ready();
    expect(backend.status()).toMatchObject({
      state: 'ready',
      ownership: 'managed',
      restarts: 0,
      version: '0.34.0',
    });
    const models = await backend.models();
    expect(models.map(({ name }) => name).sort()).toEqual(['slow', 'tiny']);
    expect(models.find(({ name }) => name === 'tiny')).toMatchObject({
      backend: 'ollama',
      weight: 'light',
      quantisation: 'F16',
      contextLength: 2048,
      remote: false,
      small: false,
    });
    const chunks = await collect(backend.stream(babble(12), never));
    expect(chunks.filter((chunk) => chunk.type === 'text').length).toBeGreaterThan(0);
    expect(chunks.at(-1)).toMatchObject({ type: 'end', end: { reason: 'length', completionTokens: 12 } });
    expect(backend.status()).toMatchObject({ state: 'ready', activeRequests: 0, model: 'slow' });
    // All but the last token of the prompt, which is computed for the first token of the answer.
    const again = (await collect(backend.stream(babble(2), never))).at(-1);
    if (again?.type !== 'end') throw new Error('the second answer has no end');
    expect(again.end.cachedTokens).toBe(again.end.promptTokens - 1);
  });

  test('cancel before the first byte and in the middle of an answer', async () => {
    const backend = await own.ready();
    const early = new AbortController();
    const pending = collect(backend.stream(babble(900), early.signal));
    early.abort();
    await expect(pending).rejects.toMatchObject({ code: 'cancelled' });
    const late = new AbortController();
    const cancelled = async () => {
      for await (const chunk of backend.stream(babble(900), late.signal))
        if (chunk.type === 'text') late.abort();
    };
    await expect(cancelled()).rejects.toMatchObject({ code: 'cancelled' });
    for await (const chunk of backend.stream(babble(900), never)) if (chunk.type === 'text') break;
    expect(backend.status()).toMatchObject({ state: 'ready', activeRequests: 0 });
    expect((await collect(backend.stream(babble(2), never))).at(-1)?.type).toBe('end');
  });

  test('kill -9 of the server in the middle of an answer: typed failure, no orphan, ready again', async () => {
    const backend = await own.ready();
    const pid = backend.status().pid ?? 0;
    let runners: number[] = [];
    const killed = async () => {
      for await (const chunk of backend.stream(babble(900), never)) {
        if (chunk.type !== 'text' || runners.length > 0) continue;
        runners = await own.table.descendants(pid);
        signalAll([pid], 'SIGKILL');
      }
    };
    await expect(killed()).rejects.toMatchObject({ code: 'backend_failed' });
    await until(backend, ({ state }) => state === 'backoff');
    expect(backend.status()).toMatchObject({ lastError: { code: 'killed' }, pid: null });
    await backend.ensureReady();
    expect(backend.status()).toMatchObject({ state: 'ready', restarts: 1 });
    expect(runners.length).toBeGreaterThan(0);
    for (const runner of runners) expect(await own.table.identify(runner)).toBeNull();
  });

  test('a killed runner is a failed answer, not a short one, and the server stays up', async () => {
    const backend = await own.ready();
    const pid = backend.status().pid ?? 0;
    const killed = async () => {
      for await (const chunk of backend.stream(babble(900), never)) {
        if (chunk.type === 'text') signalAll(await own.table.descendants(pid), 'SIGKILL');
      }
    };
    await expect(killed()).rejects.toMatchObject({ code: 'backend_failed' });
    expect(backend.status()).toMatchObject({ state: 'ready', restarts: 0, pid });
    expect((await collect(backend.stream(babble(2), never))).at(-1)?.type).toBe('end');
  });

  test('a stuck runner is cut off and killed, and the server stays up', async () => {
    const backend = await own.ready({ stream: { stallMs: () => 700, lookEveryMs: 100 } });
    const pid = backend.status().pid ?? 0;
    const frozen = async () => {
      for await (const chunk of backend.stream(babble(900), never)) {
        if (chunk.type === 'text') signalAll(await own.table.descendants(pid), 'SIGSTOP');
      }
    };
    await expect(frozen()).rejects.toMatchObject({ details: { cause: 'stalled' } });
    expect(backend.status()).toMatchObject({ state: 'ready', restarts: 0, pid });
    expect((await collect(backend.stream(babble(2), never))).at(-1)?.type).toBe('end');
  });

  test('unknown and remote models are rejected with a cure', async () => {
    const backend = await own.ready();
    await expect(collect(backend.stream(babble(2, 'nope'), never))).rejects.toMatchObject({
      code: 'model_not_found',
    });
    await expect(collect(backend.stream(babble(2, 'big:cloud'), never))).rejects.toMatchObject({
      code: 'unsupported',
    });
    const tools = {
      ...babble(2, 'tiny'),
      tools: [{ name: 'f', parameters: {} }],
    };
    await expect(collect(backend.stream(tools, never))).rejects.toMatchObject({ code: 'unsupported' });
  });

  test('loading only, a second name and deleting', async () => {
    const backend = await own.ready();
    const load = await collect(backend.stream({ ...babble(2, 'tiny'), messages: [] }, never));
    expect(load).toMatchObject([{ type: 'end', end: { reason: 'load' } }]);
    const url = backend.status().url ?? '';
    const api = new OllamaApi({ url, fetcher: own.http.fetcher, post: own.http.post, instanceId: 'test' });
    const body = JSON.stringify({ model: 'coder', from: 'tiny', stream: false });
    expect((await fetch(`${url}/api/create`, { method: 'POST', body })).status).toBe(200);
    expect((await backend.models()).map(({ name }) => name)).toContain('coder');
    await api.delete('coder', never);
    expect((await backend.models()).map(({ name }) => name)).not.toContain('coder');
  });

  test('stop leaves no process, even during an answer', async () => {
    const backend = await own.ready();
    const pid = backend.status().pid ?? 0;
    const answer = backend.stream(babble(900), never)[Symbol.asyncIterator]();
    await answer.next();
    const family = [pid, ...(await own.table.descendants(pid))];
    expect(family.length).toBeGreaterThan(1);
    const rest = collect({ [Symbol.asyncIterator]: () => answer }).catch((error) => error.code);
    await backend.stop();
    for (const member of family) expect(await own.table.identify(member)).toBeNull();
    expect(await rest).toBe('backend_failed');
    expect(JSON.parse(await readFile(join(own.folder, 'children.json'), 'utf8')).children).toEqual([]);
  });
});

describe('a foreign server', () => {
  test('is adopted, never stopped, replaced when it vanishes and adopted again', async () => {
    const first = await foreignOllama();
    const backend = await own.ready({ candidates: [first.url] });
    expect(backend.status()).toMatchObject({
      state: 'adopted',
      ownership: 'adopted',
      url: first.url,
      pid: null,
    });
    expect((await collect(backend.stream(babble(3), never))).at(-1)?.type).toBe('end');
    first.process.kill('SIGTERM');
    await until(backend, ({ state }) => state === 'ready');
    expect(backend.status()).toMatchObject({ ownership: 'managed', lastError: { code: 'vanished' } });
    await backend.stop();
  });

  test('whose model process is stuck is found out; it is ended by unloading what we loaded', async () => {
    const foreign = await foreignOllama();
    const backend = await own.ready({ candidates: [foreign.url], findHolder: findPortHolder, stream: QUICK });
    await until(backend, ({ memoryBytes }) => memoryBytes !== null);
    expect((await collect(backend.stream(babble(3), never))).at(-1)?.type).toBe('end');
    const stuck = await own.table.descendants(foreign.process.pid ?? 0);
    signalAll(stuck, 'SIGSTOP');
    expect((await collect(backend.stream(babble(3), never))).at(-1)?.type).toBe('end');
    expect(await Promise.all(stuck.map((pid) => own.table.identify(pid)))).toEqual([null]);
    expect(foreign.process.exitCode).toBeNull();
  });

  test('whose model process is stuck fails the request in seconds, and keeps what others loaded', async () => {
    const foreign = await foreignOllama();
    const body = JSON.stringify({ model: 'slow', stream: false });
    await (await fetch(`${foreign.url}/api/generate`, { method: 'POST', body })).text();
    const backend = await own.ready({ candidates: [foreign.url], findHolder: findPortHolder, stream: QUICK });
    await until(backend, ({ memoryBytes }) => memoryBytes !== null);
    const stuck = await own.table.descendants(foreign.process.pid ?? 0);
    signalAll(stuck, 'SIGSTOP');
    try {
      await expect(collect(backend.stream(babble(3), never))).rejects.toMatchObject({
        code: 'backend_failed',
        details: { cause: 'stalled', processEnded: false },
      });
      expect(await own.table.descendants(foreign.process.pid ?? 0)).toEqual(stuck);
    } finally {
      signalAll(stuck, 'SIGCONT');
    }
    expect((await collect(backend.stream(babble(3), never))).at(-1)?.type).toBe('end');
  });

  test('survives our stop', async () => {
    const foreign = await foreignOllama();
    const backend = await own.ready({ candidates: [foreign.url] });
    await backend.restart('test');
    await backend.stop();
    expect((await fetch(`${foreign.url}/api/version`)).ok).toBe(true);
  });

  test('replaces ours when it appears', async () => {
    const candidates: string[] = [];
    const backend = await own.ready({ candidates });
    const pid = backend.status().pid ?? 0;
    candidates.push((await foreignOllama()).url);
    await until(backend, ({ state }) => state === 'adopted');
    await backend.stop();
    expect(await own.table.identify(pid)).toBeNull();
  });

  test('a fixed address that is dead is absent with the cure, and used as soon as it answers', async () => {
    const { url, process: foreign } = await foreignOllama();
    const gone = new Promise((resolve) => foreign.once('exit', resolve));
    foreign.kill('SIGTERM');
    await gone;
    const backend = own.create({ url });
    await backend.start();
    expect(backend.status()).toMatchObject({ state: 'absent', absence: { code: 'ollama_down' }, pid: null });
    await expect(backend.ensureReady()).rejects.toMatchObject({ code: 'ollama_down' });
    await foreignOllama(new URL(url).host);
    await until(backend, ({ state }) => state === 'adopted');
    await backend.ensureReady();
    expect(backend.status()).toMatchObject({ url, absence: null });
  });

  test('is not Tandem itself', async () => {
    const url = await tandemListener('test');
    const backend = own.create({ url });
    await backend.start();
    expect(backend.status()).toMatchObject({ state: 'absent', lastError: { code: 'self_reference' } });
    const other = await own.ready({ candidates: [await tandemListener('another instance')] });
    expect(other.status()).toMatchObject({ state: 'ready', ownership: 'managed' });
  });
});

describe('without a server and without a program', () => {
  test('is absent with the cure, and starts when the set-up has finished', async () => {
    let built = false;
    const backend = own.create({
      locate: async () =>
        built
          ? { path: ollamaProgram() }
          : { absent: { code: 'backend_absent', cure: 'Install Ollama.', setup: true } },
    });
    await backend.start();
    expect(backend.status()).toMatchObject({
      state: 'absent',
      stage: 'setup',
      absence: { cure: 'Install Ollama.' },
    });
    await expect(backend.ensureReady()).rejects.toMatchObject({ code: 'backend_absent' });
    built = true;
    await backend.relocate();
    await backend.ensureReady();
    expect(backend.status()).toMatchObject({ state: 'ready', absence: null });
  });
});

describe('an MLX API on another machine', () => {
  function remote(url: string): OpenAiBackend {
    const backend = new OpenAiBackend({
      instance: { ...MLX, kind: 'openai' },
      setBy: 'MLX_API_URL',
      billionsOf: () => null,
      url,
      clock: systemClock,
      fetcher: own.http.fetcher,
      post: own.http.post,
      instanceId: 'test',
      watchEveryMs: 200,
    });
    cleanups.push(() => backend.stop());
    return backend;
  }

  test('is used in the dialect of Ollama, and reports when it is gone', async () => {
    const server = await foreignOllama();
    const backend = remote(server.url);
    await backend.start();
    await backend.ensureReady();
    expect(backend.status()).toMatchObject({
      id: 'mlx',
      state: 'adopted',
      ownership: 'remote',
      url: server.url,
    });
    expect((await backend.models()).every((model) => model.backend === 'mlx')).toBe(true);
    expect((await collect(backend.stream(babble(3, 'tiny'), never))).at(-1)?.type).toBe('end');
    server.process.kill('SIGTERM');
    await until(backend, ({ state }) => state === 'absent');
    expect(backend.status()).toMatchObject({
      absence: { code: 'mlx_down' },
      lastError: { code: 'unreachable' },
    });
    await expect(collect(backend.stream(babble(3, 'tiny'), never))).rejects.toMatchObject({
      code: 'mlx_down',
    });
  });

  test('is not Tandem itself', async () => {
    const backend = remote(await tandemListener('test'));
    await backend.start();
    expect(backend.status()).toMatchObject({ state: 'absent', absence: { code: 'self_reference' } });
    await expect(backend.ensureReady()).rejects.toMatchObject({ code: 'mlx_down' });
  });
});

/** Answers like a Tandem that listens on Ollama's port. */
async function tandemListener(instance: string): Promise<string> {
  const server: Server = createServer((request, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(request.url === '/health' ? { instance } : { version: '0.34.0' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}
