import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { MlxBackend } from '../../src/main/backends/mlx/mlx-backend';
import type { MlxBackendOptions } from '../../src/main/backends/mlx/mlx-options';
import { nodeFileStore } from '../../src/main/ports/file-store';
import { createNodeFetcher } from '../../src/main/ports/node-fetcher';
import { SLOW, writeRandomModel } from '../support/random-model';
import { babble, collect, never, PATIENT, realMlx, until } from '../support/real-mlx';

/** The real server, broken from inside: detection and recovery. */

let folder: string;
let models: Record<string, string>;
const http = createNodeFetcher();
const started: MlxBackend[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tandem-mlx-faults-'));
  models = {
    slow: await writeRandomModel(join(folder, 'slow'), SLOW),
    other: await writeRandomModel(join(folder, 'other'), SLOW, 2),
  };
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((backend) => backend.stop()));
});

afterAll(async () => {
  await http.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the server with a fault that begins when its file appears; `body` is that of `install(server, launcher)`. */
async function broken(body: string, options: Partial<MlxBackendOptions> = {}) {
  const trigger = join(folder, `trigger-${started.length}-${Math.random()}`);
  const module = `${trigger}.py`;
  const inside = body
    .trim()
    .split('\n')
    .map((line) => `    ${line}`);
  await writeFile(
    module,
    [
      'import os, time',
      `armed = lambda: os.path.exists(${JSON.stringify(trigger)})`,
      'def install(server, launcher):',
      ...inside,
    ].join('\n'),
  );
  const backend = realMlx(folder, models, http, {
    env: { ...process.env, TANDEM_MLX_FAULTS: module },
    ...options,
  });
  started.push(backend);
  await backend.start();
  await backend.ensureReady();
  return {
    backend,
    arm: () => writeFile(trigger, ''),
    disarm: () => rm(trigger, { force: true }),
  };
}

const HUNG_STEP = `
step = server.BatchGenerator.next
def stuck(self):
    while armed(): time.sleep(0.05)
    return step(self)
server.BatchGenerator.next = stuck`;

const SILENT_HTTP = `
post = server.APIHandler.do_POST
def silent(self):
    while armed(): time.sleep(0.05)
    post(self)
server.APIHandler.do_POST = silent`;

const LOST_REQUEST = `
take = server.ResponseGenerator._next_request
def lossy(self, timeout=None):
    item = take(self, timeout)
    return None if armed() else item
server.ResponseGenerator._next_request = lossy`;

const OUT_OF_MEMORY = `
step = server.BatchGenerator.next
def dies(self):
    if armed():
        os.write(2, b"[METAL] Command buffer execution failed: Insufficient Memory\\n")
        os.abort()
    return step(self)
server.BatchGenerator.next = dies`;

describe('a server that hangs while /health is fine', () => {
  test.each([
    ['in a step', HUNG_STEP],
    ['before it has read a request', SILENT_HTTP],
    ['with a request that it has lost', LOST_REQUEST],
  ])('%s is killed and restarts', async (_where, fault) => {
    const { backend, arm, disarm } = await broken(fault, { hang: { ...PATIENT, unknownStepMs: 5_000 } });
    const { pid, url } = backend.status();
    await arm();
    const answer = collect(backend.stream(babble(20), never));
    answer.catch(() => {});
    // Its HTTP part continues, and rejects callers without its secret.
    expect((await fetch(`${url}/health`)).status).toBe(403);
    await expect(answer).rejects.toMatchObject({ code: 'backend_failed' });
    expect(backend.status().lastError).toMatchObject({ code: 'stalled' });
    await disarm();
    await backend.ensureReady();
    expect(backend.status().pid).not.toBe(pid);
    expect((await collect(backend.stream(babble(3), never))).at(-1)?.type).toBe('end');
  });

  test('the last token may take as long as any other', async () => {
    const late = `
form = server._format_top_logprobs
def late(*args):
    if armed(): time.sleep(8)
    return form(*args)
server._format_top_logprobs = late`;
    const { backend, arm } = await broken(late, { hang: { ...PATIENT, silenceMs: 6_000 } });
    await arm();
    const chunks = await collect(backend.stream(babble(1), never));
    expect(chunks.at(-1)?.type).toBe('end');
    expect(backend.status()).toMatchObject({ state: 'ready', restarts: 0 });
  });

  // That each step starts the limit anew is shown in mlx-progress.test.ts, where no machine can be too slow for it.
  test('a long prompt reports every step, so that its steps together may exceed the limit of one', async () => {
    const { backend } = await broken('pass');
    const long = { ...babble(2), messages: [{ role: 'user' as const, content: 'word '.repeat(80) }] };
    const chunks = await collect(backend.stream(long, never));
    const done = chunks.flatMap((chunk) => (chunk.type === 'prefill' ? [chunk.done] : []));
    expect(done.length).toBeGreaterThan(4);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(chunks.at(-1)?.type).toBe('end');
    const status = await until(backend, ({ hangLimits }) => hangLimits?.learned === true);
    expect(status).toMatchObject({ restarts: 0, hangLimits: { silenceMs: PATIENT.silenceMs } });
    expect(status.hangLimits?.stepMs).toBeGreaterThanOrEqual(PATIENT.leastStepMs);
  });
});

describe('a server that runs out of memory', () => {
  test('restarts smaller, remembers it, and stays down at the bottom until the user starts it', async () => {
    const path = join(folder, 'ladder.json');
    const rungs: string[] = [];
    const ladder = {
      file: { store: nodeFileStore, path },
      smallerModel: (name: string) => (name === 'slow' ? 'other' : null),
      onRung: ({ model, kind }: { model: string; kind: string }) => void rungs.push(`${model} ${kind}`),
    };
    const { backend, arm, disarm } = await broken(OUT_OF_MEMORY, { ladder });
    const dies = async () => {
      await backend.ensureReady();
      const { model } = backend.status();
      const answer = collect(backend.stream(babble(500, model ?? ''), never));
      answer.catch(() => {});
      await arm();
      await expect(answer).rejects.toMatchObject({ code: 'backend_failed' });
      await disarm();
      expect(backend.status().lastError?.code).toBe('out_of_memory');
      return model;
    };
    expect([await dies(), await dies(), await dies()]).toEqual(['slow', 'slow', 'slow']);
    await backend.ensureReady();
    expect(backend.status()).toMatchObject({
      model: 'other',
      ladder: { rung: 3, rungs: 4, kind: 'model', model: 'other' },
    });
    expect([backend.refuses('slow', 10), backend.refuses('other', 10)]).toEqual(['memory:smaller', null]);
    expect(await dies()).toBe('other');
    await expect(backend.ensureReady()).rejects.toMatchObject({ code: 'mlx_down' });
    expect(backend.status()).toMatchObject({ state: 'open', breaker: { state: 'open', nextTryAt: null } });
    expect(rungs).toEqual(['slow prompt_cache', 'slow context', 'slow model']);
    await backend.restart('test');
    expect(backend.status()).toMatchObject({ state: 'ready', model: 'other', ladder: { rung: 3 } });
    await backend.stop();
    expect(JSON.parse((await nodeFileStore.readText(path)) ?? '').models.slow.rung).toBe(3);
  });
});

describe('two models', () => {
  test('the first is unloaded before the next is loaded, and none is loaded during an answer', async () => {
    const memoryLimits = async () => ({ memoryBytes: 8e9, bufferPoolBytes: 8e8, wiredBytes: 0 });
    const { backend } = await broken('pass', { maxConcurrent: () => 2, memoryLimits });
    await collect(backend.stream(babble(2), never));
    const order: string[] = [];
    const long = backend.stream(babble(60), never)[Symbol.asyncIterator]();
    // The model of the first request stays loaded.
    await long.next();
    const first = collect({ [Symbol.asyncIterator]: () => long }).then(() => order.push('answered'));
    const second = (async () => {
      for await (const chunk of backend.stream(babble(4, 'other'), never)) {
        if (chunk.type === 'prefill') order.push(`prefill beside ${backend.status().model}`);
      }
    })();
    await Promise.all([first, second]);
    expect(order[0]).toBe('answered');
    expect(new Set(order.slice(1))).toEqual(new Set(['prefill beside other']));
    await until(backend, () => backend.figures().inside.weights !== null);
    const { peak, inside } = backend.figures();
    expect(peak?.bytes).toBeLessThan((inside.weights?.bytes ?? 0) * 1.6);
  });
});
