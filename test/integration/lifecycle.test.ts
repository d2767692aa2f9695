import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Answer } from '../../src/shared/chat';
import { type App, ask, cleanEnvironment, NO_SERVERS, type Ready, startApp, until } from '../support/app';
import { type ContractClient, connect } from '../support/contract-client';
import { CODE, startCountingApp } from '../support/counting-app';
import { startFakeOllama } from '../support/fake-ollama';
import { Family, isAlive } from '../support/family';
import { spawnHost } from '../support/host-process';
import { signalAll } from '../support/processes';
import { tempDir } from '../support/temp-dir';

/** How the host ends, and what is left after it was killed without warning. On the built host. */

const AUTO = { kind: 'auto' } as const;
const HEADLESS = resolve(import.meta.dirname, '../../out/main/headless.js');

function portsOf(ready: Ready): number[] {
  return [ready.web, ready.gateway, ready.mlxApi].map((url) => Number(new URL(url).port));
}

/** Rejects when one of the ports is still in use. */
async function expectFree(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    await new Promise((settle) => server.close(settle));
  }
}

/** The folder's lock is released, and no child is recorded in it. */
async function expectReleased(dataDir: string): Promise<void> {
  expect(await readdir(dataDir)).not.toContain('instance.json');
  const children = await readFile(join(dataDir, 'children.json'), 'utf8').catch(() => '{"children":[]}');
  expect(JSON.parse(children).children).toEqual([]);
}

/** An app whose Ollama writes `w0 w1 …`, one word every 20 ms, for longer than any test. */
async function steadyApp(dataDir: string): Promise<App> {
  const fake = await startFakeOllama({ words: 100_000, everyMs: 20 });
  onTestFinished(() => fake.close());
  const app = await startApp({ dataDir, env: { ...NO_SERVERS, OLLAMA_API_URL: fake.url } });
  onTestFinished(async () => void (await app.stop()));
  return app;
}

async function answerOf(ui: ContractClient, chatId: string): Promise<Answer> {
  const { messages } = await ui.value('chatOpen', { chatId });
  const answer = messages.find((message) => message.role === 'assistant');
  if (answer?.role !== 'assistant') throw new Error('no answer in this chat');
  return answer;
}

const wordsIn = (text: string) => text.split(' ').filter(Boolean).length;

describe('a signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 0],
  ] as const)('%s while idle ends everything with %i', async (signal, code) => {
    const dataDir = tempDir();
    const app = await startCountingApp({ dataDir });
    const family = new Family(Number(app.process.pid));
    await until(async () => family.size >= 2, 'both servers seen');
    const ended = once(app.process, 'exit');
    app.process.kill(signal);
    expect((await ended)[0]).toBe(code);
    expect(await family.survivors()).toEqual([]);
    await expectFree(portsOf(app.ready));
    await expectReleased(dataDir);
  });

  it('SIGTERM in the middle of a stream ends it with an error frame and keeps the text in the chat', async () => {
    const dataDir = tempDir();
    const app = await steadyApp(dataDir);
    const ui = await connect(app.ready.web);
    const { chatId } = await ui.value('chatSend', { chatId: null, text: CODE, target: AUTO });
    await until(async () => wordsIn((await answerOf(ui, chatId)).text) > 20, 'some words');
    const had = wordsIn((await answerOf(ui, chatId)).text);
    // The chat occupies the only slot, so this request waits in the queue.
    const waiting = ask(app.ready.gateway, CODE).catch((error) => error as Error);
    await until(async () => (await app.health()).queue.depth === 1, 'one waits');
    const { code } = await app.stop();
    expect(code).toBe(0);
    const settled = await waiting;
    expect(settled instanceof Error || settled.status >= 499).toBe(true);
    await expectFree(portsOf(app.ready));
    await expectReleased(dataDir);

    const again = await connect((await steadyApp(dataDir)).ready.web);
    const answer = await answerOf(again, chatId);
    expect(answer.status).toBe('stopped');
    expect(wordsIn(answer.text)).toBeGreaterThanOrEqual(had);
  });

  it('SIGTERM ends servers that no longer respond', async () => {
    const dataDir = tempDir();
    const app = await startCountingApp({ dataDir });
    const family = new Family(Number(app.process.pid));
    const { mlx, ollama } = (await app.health()).backends;
    for (const server of [mlx, ollama]) signalAll([Number(server?.pid)], 'SIGSTOP');
    await until(async () => family.size >= 2, 'both servers seen');
    const { code } = await app.stop();
    expect(code).toBe(0);
    expect(await family.survivors()).toEqual([]);
    await expectReleased(dataDir);
  });

  it('an API client whose stream is cut by SIGTERM gets no clean end', async () => {
    const app = await steadyApp(tempDir());
    const response = await fetch(`${app.ready.gateway}/api/chat`, {
      method: 'POST',
      body: JSON.stringify({ model: 'steady', messages: [{ role: 'user', content: CODE }] }),
    });
    const reader = createInterface({
      input: (await import('node:stream')).Readable.fromWeb(response.body as never),
    });
    const frames: Record<string, unknown>[] = [];
    for await (const line of reader) {
      frames.push(JSON.parse(line));
      if (frames.length === 5) app.process.kill('SIGTERM');
    }
    expect(frames.length).toBeGreaterThanOrEqual(5);
    expect(frames.some(({ done }) => done === true)).toBe(false);
    expect(frames.at(-1)).toMatchObject({ error: expect.any(String), code: 'cancelled' });
  });

  it.each([20, 60, 120, 250, 400, 600, 900, 1_300])(
    'SIGTERM %i ms after the start leaves nothing',
    async (ms) => {
      const dataDir = tempDir();
      const host = spawnHost({ dataDir, args: ['--wait'] });
      const family = new Family(Number(host.child.pid));
      await pause(ms);
      host.child.kill('SIGTERM');
      const { code, signal } = await host.ended;
      // Before Node has read the program, no handler for a signal is installed.
      expect(signal === 'SIGTERM' || code === 0, `code ${code}\n${host.stderr()}`).toBe(true);
      expect(await family.survivors()).toEqual([]);
      await expectReleased(dataDir);
    },
  );

  it('SIGTERM during the set-up ends the set-up too and leaves its folder usable', async () => {
    const dataDir = tempDir();
    const runtimes = join(tempDir(), 'runtimes');
    const host = spawnHost({
      dataDir,
      env: { TANDEM_RUNTIME_DIR: runtimes, OLLAMA_API_URL: NO_SERVERS.OLLAMA_API_URL },
    });
    const family = new Family(Number(host.child.pid));
    await host.printed('UI http');
    const ui = await connect(String(/UI (\S+)/.exec(host.stdout())?.[1]));
    const stageOf = async () => (await ui.snapshot()).setup.find(({ part }) => part === 'mlx')?.stage;
    await until(async () => ['venv', 'install'].includes((await stageOf()) ?? ''), 'set-up at work');
    const { backends } = await ui.snapshot();
    expect(backends.find(({ id }) => id === 'mlx')).toMatchObject({ state: 'absent', stage: 'setup' });
    host.child.kill('SIGTERM');
    expect(await host.ended).toMatchObject({ code: 0 });
    expect(await family.survivors()).toEqual([]);
    expect(
      (await readdir(runtimes)).filter((name) => /^mlx-[\d.]+$/.test(name) || name.includes('lock')),
    ).toEqual([]);
  });

  it('the host exits when its parent disappears without a signal', async () => {
    const dataDir = tempDir();
    // A parent like `npm start`: it holds the pipes that the host writes to.
    const script = `const { spawn } = require('node:child_process');
      const host = spawn(process.execPath, [${JSON.stringify(HEADLESS)}, '--no-open', '--wait'], { stdio: ['ignore', 'pipe', 'pipe'] });
      console.log('pid ' + host.pid); host.stderr.resume(); host.stdout.pipe(process.stdout);`;
    const parent = spawn(process.execPath, ['-e', script], {
      env: cleanEnvironment(dataDir),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
    const pid = Number(String((await lines.next()).value).slice('pid '.length));
    const family = new Family(pid);
    let line = '';
    while (!line.startsWith('ready {')) line = String((await lines.next()).value);
    await until(async () => family.size >= 2, 'both servers seen');
    parent.kill('SIGKILL');
    await until(async () => !isAlive(pid), 'the host ends');
    expect(await family.survivors()).toEqual([]);
    await expectReleased(dataDir);
  });
});

describe('after kill -9 of the host', () => {
  it('chats are there; the cut answer has all but the last second and is marked as stopped', async () => {
    const dataDir = tempDir();
    const app = await steadyApp(dataDir);
    const ui = await connect(app.ready.web);
    const { chatId } = await ui.value('chatSend', { chatId: null, text: CODE, target: AUTO });
    await until(async () => wordsIn((await answerOf(ui, chatId)).text) > 150, 'a long answer');
    const queued = await ui.value('chatSend', { chatId: null, text: `${CODE} again`, target: AUTO });
    const had = wordsIn((await answerOf(ui, chatId)).text);
    await app.kill();

    const again = await connect((await steadyApp(dataDir)).ready.web);
    expect((await again.snapshot()).chats.map(({ id }) => id).sort()).toEqual([chatId, queued.chatId].sort());
    const answer = await answerOf(again, chatId);
    expect(answer.status).toBe('stopped');
    // Fifty words per second.
    expect(wordsIn(answer.text)).toBeGreaterThanOrEqual(had - 50);
    expect(answer.meta.source).toBe('ollama');
    expect((await answerOf(again, queued.chatId)).status).toBe('stopped');
    const { messages } = await again.value('chatOpen', { chatId });
    expect(messages.filter(({ role }) => role === 'user').map(({ text }) => text)).toEqual([CODE]);
    // The folder is as usable as before.
    const more = await again.value('chatSend', { chatId, text: CODE, target: AUTO });
    expect(more.chatId).toBe(chatId);
  });
});
