import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TandemError } from '../../../src/shared/errors';
import { FakeClock } from '../../support/fake-clock';
import { lines, postJson, queueStats, type Running, startGateway } from '../../support/gateway-fixture';
import { answerOf, ScriptedDispatcher } from '../../support/scripted-dispatcher';

let running: Running | null = null;

afterEach(async () => {
  await running?.gateway.close();
  running = null;
});

/** A request as raw text for a socket. */
function rawChat(port: number, headers = ''): string {
  const body = JSON.stringify(hello);
  const head = `POST /api/chat HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${headers}`;
  return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
}

const hello = { model: 'auto', messages: [{ role: 'user', content: 'hello' }] };

/** 64 MB, more than all buffers between here and a client can hold. */
const LONG = answerOf(...Array(64).fill('x'.repeat(1 << 20)));

describe('streams', () => {
  it('forwards each frame while the backend is still computing', async () => {
    let goOn = () => {};
    const until = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const [routed, attempt, started, first, ...rest] = answerOf('Hel', 'lo');
    if (!routed || !attempt || !started || !first) throw new Error('incomplete script');
    const dispatcher = new ScriptedDispatcher([
      routed,
      attempt,
      started,
      first,
      { type: 'wait', until },
      ...rest,
    ]);
    running = await startGateway(dispatcher);

    const answer = await postJson(`${running.url}/api/chat`, hello);
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (!reader) throw new Error('no body');
    const head = await reader.read();
    expect(lines(head.value ?? '')).toMatchObject([{ message: { content: 'Hel' }, done: false }]);
    expect(dispatcher.completed).toBe(0);

    goOn();
    let tail = '';
    for (let part = await reader.read(); !part.done; part = await reader.read()) tail += part.value;
    expect(lines(tail).map(({ done }) => done)).toEqual([false, true]);
  });

  it('omits the partial text of a whole answer that failed', async () => {
    const cutOff = answerOf('Hel').slice(0, -1);
    const dispatcher = new ScriptedDispatcher([...cutOff, ...answerOf('Hello', '!')]);
    running = await startGateway(dispatcher);
    const answer = await postJson(`${running.url}/api/chat`, { ...hello, stream: false });
    expect(await answer.json()).toMatchObject({ message: { content: 'Hello!' }, done: true });
    expect(dispatcher.requests).toMatchObject([{ whole: true }]);
  });

  it('sends the headers with the first output, and the counts with the last', async () => {
    running = await startGateway(new ScriptedDispatcher(answerOf('Hel', 'lo')));
    const answer = await postJson(`${running.url}/api/chat`, hello, { 'X-Request-Id': 'mine-1' });
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/x-ndjson',
      'x-request-id': 'mine-1',
      'x-tandem-backend': 'mlx',
      'x-tandem-model': 'starter',
      'x-tandem-category': 'greeting',
      'x-tandem-queue-ms': '3',
      'x-tandem-reasons': 'rule:greeting,small-model',
    });
    const frames = lines(await answer.text());
    expect(frames.map((frame) => (frame.message as { content: string }).content)).toEqual(['Hel', 'lo', '']);
    expect(frames.at(-1)).toMatchObject({
      model: 'auto',
      done: true,
      done_reason: 'stop',
      prompt_eval_count: 11,
      prompt_eval_duration: 4_000_000,
      eval_count: 7,
      eval_duration: 9_000_000,
      tandem: { backend: 'mlx', model: 'starter', category: 'greeting', request_id: 'mine-1' },
    });
  });

  it('gives one object to a client that does not stream', async () => {
    running = await startGateway(new ScriptedDispatcher(answerOf('Hel', 'lo')));
    const answer = await postJson(`${running.url}/api/generate`, {
      model: 'auto',
      prompt: 'hello',
      stream: false,
    });
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('x-tandem-backend')).toBe('mlx');
    expect(await answer.json()).toMatchObject({
      model: 'auto',
      response: 'Hello',
      done: true,
      done_reason: 'stop',
    });
  });

  it('sends thinking and tool calls in their own fields', async () => {
    const [routed, attempt, started, , end] = answerOf('');
    if (!routed || !attempt || !started || !end) throw new Error('incomplete script');
    const calls = [
      { id: 'c1', function: { index: 0, name: 'weather', arguments: { city: 'Oslo' } } },
      { function: { index: 1, name: 'time', arguments: { zone: 1 } } },
    ];
    const script = [
      routed,
      attempt,
      started,
      { type: 'thinking', text: 'hm' },
      { type: 'tool_call', index: 0, id: 'c1', name: 'weather', arguments: { city: 'Oslo' } },
      { type: 'tool_call', index: 1, name: 'time', arguments: '{"zone' },
      { type: 'tool_call', index: 1, arguments: '":1}' },
      end,
    ];
    running = await startGateway(new ScriptedDispatcher(script as never));
    const answer = await postJson(`${running.url}/api/chat`, { ...hello, stream: false });
    expect(await answer.json()).toMatchObject({
      message: { content: '', thinking: 'hm', tool_calls: calls },
    });
  });

  it('answers a load with one plain object even when a stream was requested', async () => {
    const dispatcher = new ScriptedDispatcher([
      { type: 'routed', category: 'general', reasons: ['explicit:model'] },
      {
        type: 'end',
        end: { reason: 'load', promptTokens: 0, completionTokens: 0 },
        backend: 'ollama',
        model: 'qwen2.5:3b',
        reasons: [],
      },
    ]);
    running = await startGateway(dispatcher);
    const answer = await postJson(`${running.url}/api/chat`, { model: 'qwen2.5:3b' });
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('x-tandem-backend')).toBe('ollama');
    const body = (await answer.json()) as Record<string, unknown>;
    expect(body).toMatchObject({ model: 'qwen2.5:3b', done: true, done_reason: 'load' });
    expect(body).not.toHaveProperty('total_duration');
    expect(dispatcher.requests[0]?.messages).toEqual([]);
  });
});

describe('streams that fail', () => {
  it('end with an error line and without a clean end', async () => {
    const script = answerOf('Hel', 'lo').slice(0, 4);
    running = await startGateway(
      new ScriptedDispatcher([...script, new TandemError('backend_failed', 'MLX stopped. Try again.')]),
    );
    const answer = await postJson(`${running.url}/api/chat`, hello);
    expect(answer.status).toBe(200);
    const frames = lines(await answer.text());
    expect(frames.at(-1)).toEqual({ error: 'MLX stopped. Try again.', code: 'backend_failed' });
    expect(frames.some(({ done }) => done === true)).toBe(false);
  });

  it('treat a script without an end as a failure', async () => {
    running = await startGateway(new ScriptedDispatcher(answerOf('Hel').slice(0, 4)));
    const frames = lines(await (await postJson(`${running.url}/api/chat`, hello)).text());
    expect(frames.at(-1)).toMatchObject({ code: 'backend_failed' });
  });

  it('report a change of backend in the last frame', async () => {
    const script = answerOf('Hel', 'lo');
    const end = script.at(-1);
    if (end?.type !== 'end') throw new Error('incomplete script');
    script.splice(4, 0, { type: 'break', from: 'mlx', to: 'ollama', reason: 'mlx-exited' });
    script[script.length - 1] = {
      ...end,
      backend: 'ollama',
      model: 'qwen2.5:3b',
      reasons: ['fallback:mlx-exited'],
    };
    running = await startGateway(new ScriptedDispatcher(script));
    const answer = await postJson(`${running.url}/api/chat`, hello);
    expect(answer.headers.get('x-tandem-backend')).toBe('mlx');
    expect(lines(await answer.text()).at(-1)).toMatchObject({
      tandem: { backend: 'ollama', breaks: [{ from: 'mlx', to: 'ollama', reason: 'mlx-exited' }] },
    });
  });

  it.each(['stream', 'no stream'])('cancel the request when the client leaves (%s)', async (mode) => {
    const until = new Promise<void>(() => {});
    const script = answerOf('Hel');
    const dispatcher = new ScriptedDispatcher([...script.slice(0, 4), { type: 'wait', until }]);
    running = await startGateway(dispatcher);
    const client = new AbortController();
    const sent = fetch(`${running.url}/api/chat`, {
      method: 'POST',
      body: JSON.stringify({ ...hello, stream: mode === 'stream' }),
      signal: client.signal,
    });
    if (mode === 'stream') await (await sent).body?.getReader().read();
    else while (dispatcher.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    client.abort();
    await sent.catch(() => {});
    expect(await dispatcher.cancelled).toMatchObject({ code: 'cancelled' });
  });

  it('get their error line when the listener closes', async () => {
    const until = new Promise<void>(() => {});
    const dispatcher = new ScriptedDispatcher([...answerOf('Hel').slice(0, 4), { type: 'wait', until }]);
    running = await startGateway(dispatcher);
    const answer = await postJson(`${running.url}/api/chat`, hello);
    const text = answer.text();
    await running.gateway.close();
    expect(lines(await text).at(-1)).toMatchObject({ code: 'cancelled' });
  });

  it('are aborted when the client stopped reading', async () => {
    const dispatcher = new ScriptedDispatcher(LONG.slice(0, -1));
    const clock = new FakeClock();
    running = await startGateway(dispatcher, { clock });
    const answer = await postJson(`${running.url}/api/chat`, hello);
    let reason: unknown = null;
    void dispatcher.cancelled.then((given) => {
      reason = given;
    });
    // The buffers in between fill first; only then is the client's inactivity measured.
    while (reason === null) await clock.advance(60_000);
    expect(reason).toMatchObject({ code: 'cancelled' });
    await expect(answer.text()).rejects.toThrow();
  });

  it('are aborted within seconds while other requests wait', async () => {
    const dispatcher = new ScriptedDispatcher(LONG.slice(0, -1));
    const clock = new FakeClock();
    running = await startGateway(dispatcher, { clock });
    running.facts.queueNow = queueStats({ depth: 1 });
    const answer = await postJson(`${running.url}/api/chat`, hello);
    let isCancelled = false;
    void dispatcher.cancelled.then(() => {
      isCancelled = true;
    });
    let silentTurns = 0;
    let taken = -1;
    while (!isCancelled) {
      silentTurns = taken === dispatcher.yielded ? silentTurns + 1 : 0;
      taken = dispatcher.yielded;
      await clock.advance(1_000);
    }
    expect(silentTurns).toBeLessThan(10);
    await expect(answer.text()).rejects.toThrow();
  });

  it('answer a request that was pipelined behind a waiting one', async () => {
    const release = Promise.withResolvers<void>();
    const long = answerOf(...Array(900).fill('x'.repeat(1_000)));
    const dispatcher = new ScriptedDispatcher([
      { type: 'wait', until: release.promise },
      ...answerOf('first'),
    ]);
    running = await startGateway(dispatcher, { clock: new FakeClock() });
    const socket = connect(running.port, '127.0.0.1').setEncoding('utf8');
    socket.write(rawChat(running.port));
    while (dispatcher.requests.length < 1) await new Promise(setImmediate);
    dispatcher.play(long);
    socket.write(rawChat(running.port, 'Connection: close\r\n'));
    // The second request is computed to its end although the first has no response yet.
    while (dispatcher.completed < 1) await new Promise(setImmediate);
    release.resolve();
    let text = '';
    for await (const part of socket) text += part;
    expect(text).toMatch(/"first".*"x{1000}"/s);
  });

  it('do not run ahead of a client that reads slowly', async () => {
    const dispatcher = new ScriptedDispatcher(LONG);
    running = await startGateway(dispatcher);
    const answer = await postJson(`${running.url}/api/chat`, hello);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(dispatcher.completed).toBe(0);
    expect(lines(await answer.text())).toHaveLength(65);
    expect(dispatcher.completed).toBe(1);
  });
});
