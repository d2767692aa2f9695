import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { BackendId } from '../../../src/shared/domain';
import { MODELS, scriptedWorld } from '../../bench/soak/world';
import { type App, freePort, startApp, until } from '../../support/app';
import { type ContractClient, connect } from '../../support/contract-client';
import { startFakeOllama } from '../../support/fake-ollama';
import { livingOf, processesOf } from '../../support/processes';
import { seeded } from '../../support/seeded';
import { tempDir } from '../../support/temp-dir';

const BACKENDS = ['mlx', 'ollama'] as const;
const KILLS = 20;
/** In one of this many lives the host supervises both servers itself, which costs several starts of Node. */
const OWN_EVERY = 7;

/** `kill -9` of the host in the middle of two answers, repeatedly with one data folder. On the built host. */
it('twenty times loses no message, marks none as stopped by the user, and leaves nothing behind', async () => {
  const folder = join(tempDir(), 'kills');
  const temporary = join(folder, 'tmp');
  const own = await scriptedWorld(folder);
  mkdirSync(temporary);
  const fake = await startFakeOllama({ words: 10_000, everyMs: 10 });
  onTestFinished(() => fake.close());
  const named = { HOME: folder, OLLAMA_API_URL: fake.url, MLX_API_URL: fake.url, MLX_ONLY_LIGHT: 'false' };
  const [web, gateway, mlxApi] = [await freePort(), await freePort(), await freePort()];
  const common = {
    TANDEM_WEB_PORT: `${web}`,
    TANDEM_GATEWAY_PORT: `${gateway}`,
    TANDEM_MLX_API_PORT: `${mlxApi}`,
    TMPDIR: temporary,
  };
  const { dataDir } = own;
  const start = (hasOwn: boolean) => startApp({ dataDir, env: { ...(hasOwn ? own.env : named), ...common } });
  const random = seeded(9);
  const sent: Sent[] = [];
  const children: number[] = [];
  let files: string[] = [];
  for (let life = 0; life < KILLS; life += 1) {
    const hasOwn = life % OWN_EVERY === 0;
    const app = await start(hasOwn);
    onTestFinished(() => app.kill());
    const ui = await connect(app.ready.web);
    await expectKept(ui, sent.slice(-BACKENDS.length));
    const models = hasOwn ? MODELS : { mlx: 'steady', ollama: 'steady' };
    sent.push(
      ...(await Promise.all(BACKENDS.map((backend) => begin(ui, backend, models[backend], random())))),
    );
    if (life === 1) files = filesIn(dataDir);
    children.push(...(hasOwn ? await killWithServers(app) : await killAlone(app)));
  }

  const last = await start(false);
  onTestFinished(async () => void (await last.stop()));
  const ui = await connect(last.ready.web);
  await expectKept(ui, sent);
  expect(sent).toHaveLength(2 * KILLS);
  expect((await ui.snapshot()).chats).toHaveLength(sent.length);
  expect(filesIn(dataDir)).toEqual(files);
  expect(readdirSync(temporary)).toEqual([]);
  await until(async () => (await livingOf(children)).length === 0, 'nothing of the lives before lives');
  expect(last.ready).toMatchObject({
    gateway: `http://127.0.0.1:${gateway}`,
    mlxApi: `http://127.0.0.1:${mlxApi}`,
    web: expect.stringContaining(`:${web}/`),
  });
});

interface Sent {
  chatId: string;
  text: string;
  /** The part of the answer that had arrived before the kill. */
  seen: string;
}

/** Sends a message whose answer does not end, and waits until up to 10 characters of it have come. */
async function begin(ui: ContractClient, backend: BackendId, model: string, share: number): Promise<Sent> {
  const text = `soak:hold on ${backend}`;
  const target = { kind: 'model', backend, model } as const;
  const { chatId } = await ui.value('chatSend', { chatId: null, text, target });
  const seen = await until(async () => {
    const { messages } = await ui.value('chatOpen', { chatId });
    const come = messages.find(({ role }) => role === 'assistant')?.text ?? '';
    return come.length > share * 10 && come;
  }, `the answer of ${backend} is being written`);
  return { chatId, text, seen };
}

/** Every message is there with its answer, which says that Tandem ended; no other text is in it than what had come. */
async function expectKept(ui: ContractClient, sent: readonly Sent[]): Promise<void> {
  for (const { chatId, text, seen } of sent) {
    const { messages } = await ui.value('chatOpen', { chatId });
    expect(messages).toMatchObject([
      { role: 'user', text },
      { role: 'assistant', status: 'stopped', meta: { notice: 'interrupted' } },
    ]);
    const kept = messages[1]?.text ?? '';
    expect(kept.startsWith(seen) || seen.startsWith(kept)).toBe(true);
  }
}

/** @returns the pids of all processes that the host had started, some of which exit a little later */
async function killAlone(app: App): Promise<number[]> {
  const children = await processesOf(Number(app.process.pid));
  await app.kill();
  return children;
}

/** Kills the host; the servers that it had started exit on their own and free their ports. */
async function killWithServers(app: App): Promise<number[]> {
  const { mlx, ollama } = (await app.health()).backends;
  const children = await killAlone(app);
  expect(children).toEqual(expect.arrayContaining([mlx?.pid, ollama?.pid]));
  for (const url of [mlx?.url, ollama?.url]) {
    const isFree = () =>
      fetch(String(url)).then(
        () => false,
        () => true,
      );
    await until(isFree, `${url} is free`);
  }
  return children;
}

const filesIn = (folder: string) => readdirSync(folder, { recursive: true }).map(String).sort();
