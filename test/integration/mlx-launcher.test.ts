import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { rawRequest } from '../support/gateway-fixture';
import { TINY, writeRandomModel } from '../support/random-model';
import { LAUNCH_SCRIPT, mlxPython } from '../support/runtimes';
import { tempDir } from '../support/temp-dir';

interface Run {
  process: ChildProcess;
  exit: Promise<number | null>;
  /** Resolves with the first event of this name. */
  event(name: string): Promise<Record<string, unknown>>;
  /** Resolves with the first event of this name, past or future, for which the predicate is true. */
  next(name: string, is: (event: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
}

function launch(...args: string[]): Run {
  return launchWith({}, ...args);
}

function launchWith(env: Record<string, string>, ...args: string[]): Run {
  const child = spawn(mlxPython(), [LAUNCH_SCRIPT, '--log-level', 'WARNING', ...args], {
    env: { ...process.env, HF_HUB_OFFLINE: '1', ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  onTestFinished(() => {
    child.kill('SIGKILL');
    return exit.then(() => {});
  });
  const seen: Record<string, unknown>[] = [];
  const waiters: ((event: Record<string, unknown>) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line);
    seen.push(event);
    for (const waiter of waiters) waiter(event);
  });
  const next: Run['next'] = (name, is) =>
    new Promise((resolve, reject) => {
      const check = (event: Record<string, unknown>) => event.event === name && is(event) && resolve(event);
      void exit.then((code) => reject(new Error(`ended with ${code} before ${name}`)));
      waiters.push(check);
      for (const event of seen) check(event);
    });
  return { process: child, exit, next, event: (name) => next(name, () => true) };
}

test('a taken port makes it exit with 71 before anything is loaded', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  onTestFinished(() => void holder.close());
  const address = holder.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const run = launch('--port', String(port));
  expect(await run.exit).toBe(71);
});

test.each([
  ['a port that is none', 2, ['--port', '99999']],
  ['an unknown argument', 2, ['--port', '0', '--nonsense']],
  ['a model that is not there', 72, ['--port', '0', '--model', '/nowhere/at/all']],
])('%s makes it exit with %i', async (_name, code, args) => {
  expect(await launch(...args).exit).toBe(code);
});

test('a closed stdin makes it exit with 73', async () => {
  const run = launch('--port', '0');
  await run.event('listening');
  run.process.stdin?.end();
  expect(await run.exit).toBe(73);
});

test('a dead generation thread makes it exit with 70', async () => {
  const model = await writeRandomModel(join(tempDir(), 'tiny'), TINY);
  const run = launch('--port', '0', '--model', model);
  const { port } = await run.event('listening');
  await run.event('loaded');
  // Known to kill the thread of 0.32.2, so the backend never sends it.
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], stop: 5, max_tokens: 4 });
  await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: 'POST', body }).catch(() => {});
  expect(await run.exit).toBe(70);
});

test('answers only callers that have its secret, under its own name, and no page', async () => {
  const model = await writeRandomModel(join(tempDir(), 'tiny'), TINY);
  const other = await writeRandomModel(join(tempDir(), 'other'), TINY);
  const run = launchWith({ TANDEM_MLX_SECRET: 'open sesame' }, '--port', '0', '--model', model);
  const port = Number((await run.event('listening')).port);
  await run.event('loaded');
  const ours = { Host: `127.0.0.1:${port}`, 'X-Tandem-Secret': 'open sesame' };
  const body = JSON.stringify({ model: other, messages: [{ role: 'user', content: 'hi' }], max_tokens: 1 });
  const ask = async (headers: Record<string, string>, path = '/v1/chat/completions') =>
    (await rawRequest(port, path, headers, path === '/health' ? 'GET' : 'POST', body)).status;
  for (const headers of [
    { ...ours, 'X-Tandem-Secret': '' },
    { ...ours, 'X-Tandem-Secret': 'open' },
    { ...ours, Host: `evil.example:${port}` },
    { ...ours, Host: '127.0.0.1' },
    { ...ours, Origin: 'http://127.0.0.1' },
  ]) {
    expect([headers, await ask(headers), await ask(headers, '/health')]).toEqual([headers, 403, 403]);
  }
  let loads = 0;
  createInterface({ input: run.process.stdout as never }).on('line', (line) => {
    if (JSON.parse(line).event === 'loading') loads += 1;
  });
  expect(await ask(ours, '/health')).toBe(200);
  expect(loads).toBe(0);
  expect(await ask(ours)).toBe(200);
});

test('reports each request separately from queued to ended', async () => {
  const model = await writeRandomModel(join(tempDir(), 'tiny'), TINY);
  const run = launch('--port', '0', '--model', model);
  const { port } = await run.event('listening');
  const states: unknown[] = [];
  createInterface({ input: run.process.stdout as never }).on('line', (line) => {
    const event = JSON.parse(line);
    if (event.event === 'sequence') states.push([event.id, event.state, event.active, event.queue]);
  });
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], max_tokens: 4 });
  const headers = { 'X-Tandem-Request-Id': 'mine' };
  const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    body,
    headers,
  });
  expect((await response.json()).usage.completion_tokens).toBe(4);
  // It is reported once the server's loop has finished handing the answer over.
  await run.next('sequence', ({ state }) => state === 'ended');
  expect(states).toEqual([
    ['mine', 'queued', 0, 1],
    ['mine', 'started', 1, 0],
    ['mine', 'ended', 0, 0],
  ]);
});

/** A step that takes seconds on any machine. */
const SLOW_STEP = `
import time
def install(server, launcher):
    step = server.BatchGenerator.next
    def slow(self):
        time.sleep(3)
        return step(self)
    server.BatchGenerator.next = slow
`;

test('reports a step that cannot be interrupted while it runs, and its duration', async () => {
  const model = await writeRandomModel(join(tempDir(), 'tiny'), TINY);
  const faults = join(tempDir(), 'slow-step.py');
  await writeFile(faults, SLOW_STEP);
  const env = { TANDEM_MLX_FAULTS: faults };
  const run = launchWith(env, '--port', '0', '--model', model, '--prefill-step-size', '2048');
  const { port } = await run.event('listening');
  await run.event('loaded');
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: run.process.stdout as never }).on('line', (line) => lines.push(JSON.parse(line)));
  const messages = [{ role: 'user', content: 'word '.repeat(200) }];
  const body = JSON.stringify({ messages, max_tokens: 1 });
  const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: 'POST', body });
  expect(answer.status).toBe(200);
  const last = await run.next('mem', ({ step_tokens }) => Number(step_tokens) > 500);
  const during = lines.filter(({ event, doing, stuck }) => event === 'mem' && doing === 'prefill' && stuck);
  expect(last.step_ms).toBeGreaterThanOrEqual(3_000);
  expect(during.length).toBeGreaterThan(0);
});

/** Without Metal the server finds no working set, and then wires nothing: this one reports 12 GB. */
const WITH_WORKING_SET = `
def install(server, launcher):
    import mlx.core as mx
    from mlx.core import set_wired_limit
    info = mx.device_info
    mx.device_info = lambda *given: {**info(*given), "max_recommended_working_set_size": 12_000_000_000}
    before = [module.set_wired_limit(7) for module in (mx, mx.metal)]
    own = {module.set_wired_limit.__module__ for module in (mx, mx.metal)} | {set_wired_limit.__module__}
    launcher.report.emit("replaced", before=before, own=own == {launcher.__name__})
`;

test.each([
  ['nothing', {}, 0],
  ['what the setting says', { TANDEM_MLX_WIRED_BYTES: '3000000000' }, 3_000_000_000],
])('the server asks for the whole working set at each turn, and %s is wired', async (_name, env, kept) => {
  const model = await writeRandomModel(join(tempDir(), 'tiny'), TINY);
  const faults = join(tempDir(), 'working-set.py');
  await writeFile(faults, WITH_WORKING_SET);
  const run = launchWith({ TANDEM_MLX_FAULTS: faults, ...env }, '--port', '0', '--model', model);
  const asked: unknown[] = [];
  createInterface({ input: run.process.stdout as never }).on('line', (line) => {
    const event = JSON.parse(line);
    if (event.event === 'wiring') asked.push([event.asked, event.kept]);
  });
  expect(await run.event('limits')).toMatchObject({ memory: null, cache: null, wired: kept });
  expect(await run.event('replaced')).toMatchObject({ own: true, before: [kept, kept] });
  const { port } = await run.event('listening');
  await run.event('loaded');
  // A batch, and the unbatched path: each asks again, and restores what it believes to be the limit before.
  for (const more of [{}, { seed: 1 }]) {
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], max_tokens: 2, ...more });
    const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: 'POST', body });
    expect(answer.status).toBe(200);
  }
  expect(asked).toEqual([
    [7, kept],
    [12_000_000_000, kept],
  ]);
});

test('limits of memory and of freed buffers are set before the server starts', async () => {
  const env = { TANDEM_MLX_MEMORY_BYTES: '5000000000', TANDEM_MLX_CACHE_BYTES: '500000000' };
  const faults = join(tempDir(), 'limits.py');
  await writeFile(
    faults,
    `
def install(server, launcher):
    import mlx.core as mx
    launcher.report.emit("found", memory=mx.set_memory_limit(1), cache=mx.set_cache_limit(1))
`,
  );
  const run = launchWith({ TANDEM_MLX_FAULTS: faults, ...env }, '--port', '0');
  expect(await run.event('found')).toMatchObject({ memory: 5_000_000_000, cache: 500_000_000 });
});

test('a request whose every token is cached is answered, as often as it is repeated', async () => {
  const model = await writeRandomModel(join(tempDir(), 'tiny'), TINY);
  const run = launch('--port', '0', '--model', model, '--prompt-cache-size', '4');
  const { port } = await run.event('listening');
  await run.event('loaded');
  const send = async (path: string, body: object) => {
    const url = `http://127.0.0.1:${port}${path}`;
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify({ temperature: 0, ...body }) });
    expect([path, body, answer.status]).toEqual([path, body, 200]);
    const { choices, usage } = await answer.json();
    const [choice] = choices;
    return { text: choice.text ?? choice.message.content, cached: usage.prompt_tokens_details.cached_tokens };
  };
  const messages = [{ role: 'user', content: 'hello there' }];
  for (const more of [{}, { seed: 1 }]) {
    // After an answer of one token the cache holds exactly the prompt.
    const ask = { messages, max_tokens: 1, ...more };
    const first = await send('/v1/chat/completions', ask);
    for (let retry = 0; retry < 2; retry += 1) {
      const again = await send('/v1/chat/completions', ask);
      expect(again.text).toBe(first.text);
      expect(again.cached).toBeGreaterThan(0);
    }
    // A continuation that repeats prompt and answer, as after a stream that broke.
    const prompt = `abc${more.seed ?? ''}`;
    const begun = await send('/v1/completions', { prompt, max_tokens: 3, ...more });
    await send('/v1/completions', { prompt: prompt + begun.text, max_tokens: 1, ...more });
    await send('/v1/completions', { prompt: prompt + begun.text, max_tokens: 1, ...more });
  }
  expect(run.process.exitCode).toBeNull();
});

test('a fault module that cannot be loaded, or fails, makes it exit with 2', async () => {
  const failing = join(tempDir(), 'failing.py');
  await writeFile(failing, 'def install(server, launcher):\n    raise ValueError()\n');
  for (const file of [failing, '/nowhere/faults.py']) {
    expect(await launchWith({ TANDEM_MLX_FAULTS: file }, '--port', '0').exit).toBe(2);
  }
});
