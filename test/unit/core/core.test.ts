import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { coreFixture, UI } from '../../support/core-fixture';
import { SILENCE, say } from '../../support/scripted-ollama';

const AUTO = { kind: 'auto' } as const;
const chat = (model: string) => ({
  method: 'POST',
  body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }], stream: false }),
});

describe('a snapshot of the core', () => {
  it('contains what the services report, and the patches lead from one to the next', async () => {
    const { core, spawner, store, pushes, until, withModels } = await coreFixture();
    await withModels('phi3.5:3.8b');
    const first = await core.handlers.snapshot({}, UI);
    const building = { part: 'mlx', stage: 'installing', detail: 'wheels', percent: 40, elapsedMs: 9 };
    spawner.setup('mlx').stdout.write(`${JSON.stringify(building)}\n`);
    await core.handlers.settingsSet({ key: 'requestTimeoutS', value: 77 }, UI);
    core.warn({ code: 'of_the_test', message: 'Mind the test.' });
    const { chatId } = await core.handlers.chatSend({ chatId: null, text: 'hello', target: AUTO }, UI);
    const last = await until(({ chats, setup, queue }) => !!chats[0] && !!setup[0] && queue.stats.done === 1);

    expect(last.app).toMatchObject({
      gatewayUrl: core.addresses().gateway,
      mlxApiUrl: core.addresses().mlxApi,
    });
    expect(last.backends.map(({ state, stage }) => [state, stage])).toEqual([
      ['absent', 'setup'],
      ['adopted', 'idle'],
    ]);
    expect(last.setup).toEqual([building]);
    expect(last.settings.requestTimeoutS).toMatchObject({ value: 77, source: 'file' });
    expect(last.warnings).toContainEqual({ code: 'of_the_test', message: 'Mind the test.' });
    expect(last.chats).toMatchObject([{ id: chatId }]);
    expect(store.rows).toMatchObject([{ outcome: 'done', backend: 'ollama', model: 'phi3.5:3.8b' }]);

    const patches = pushes.flatMap((push) => (push.name === 'patch' ? [push.payload] : []));
    expect(patches.map(({ revision }) => revision)).toEqual(patches.map((_, index) => index + 1));
    const newer = patches.filter(({ revision }) => revision > first.revision);
    expect(Object.assign({}, first.snapshot, ...newer.map(({ patch }) => patch))).toEqual(last);
  });
});

describe('a changed setting', () => {
  it('lets as many requests run at once', async () => {
    const { core, ollama, until, withModels } = await coreFixture();
    await withModels('phi3.5:3.8b');
    ollama.ways.push(SILENCE, SILENCE);
    for (const text of ['hello', 'hi'])
      await core.handlers.chatSend({ chatId: null, text, target: AUTO }, UI);
    await until(({ queue }) => queue.stats.running === 1 && queue.stats.depth === 1);
    await core.handlers.settingsSet({ key: 'ollamaMaxConcurrent', value: 2 }, UI);
    expect((await until(({ queue }) => queue.stats.running === 2)).queue.stats.depth).toBe(0);
  });

  it('names the model of the next request', async () => {
    const { core, ollama, until, withModels } = await coreFixture();
    await withModels('phi3.5:3.8b', 'mistral:7b');
    await core.handlers.settingsSet({ key: 'ollamaModelFast', value: 'mistral:7b' }, UI);
    await core.handlers.chatSend({ chatId: null, text: 'hello', target: AUTO }, UI);
    await until(({ queue }) => queue.stats.done === 1);
    expect(ollama.asked.map((asked) => asked.model)).toEqual(['mistral:7b']);
  });

  it('adds a folder to the scan', async () => {
    const { core, spawner, withModels, dataDir } = await coreFixture();
    await withModels('phi3.5:3.8b');
    await core.handlers.settingsSet({ key: 'modelFolders', value: [dataDir] }, UI);
    // The clock stands still, so that the regular scan does not come.
    await vi.waitFor(() => expect(spawner.scans.at(-1)).toMatchObject({ scan: { folders: [dataDir] } }));
  });

  it('limits the rate on the MLX API, not for the app', async () => {
    const { core, until, withModels } = await coreFixture();
    await withModels('phi3.5:3.8b');
    await core.handlers.settingsSet({ key: 'rateLimitMax', value: 1 }, UI);
    const url = `${core.addresses().mlxApi}/api/chat`;
    expect([(await fetch(url, chat('auto'))).status, (await fetch(url, chat('auto'))).status]).toEqual([
      200, 429,
    ]);
    await core.handlers.chatSend({ chatId: null, text: 'hello', target: AUTO }, UI);
    expect((await until(({ queue }) => queue.stats.done === 2)).queue.stats.rejected).toBe(1);
  });
});

describe('a request to the gateway', () => {
  it('is answered, and leaves a row with the code when it is refused', async () => {
    const { core, ollama, store, withModels } = await coreFixture();
    await withModels('phi3.5:3.8b');
    ollama.ways.push({ frames: [say('One.'), { ...say(''), done: true, done_reason: 'stop' }], last: 'end' });
    const url = `${core.addresses().gateway}/api/chat`;
    const answer = await fetch(url, chat('auto'));
    expect(answer.headers.get('x-tandem-model')).toBe('phi3.5:3.8b');
    expect(await answer.json()).toMatchObject({ message: { content: 'One.' } });
    const refused = await fetch(url, chat('nobody:1b'));
    expect([refused.status, await refused.json()]).toMatchObject([404, { code: 'model_not_found' }]);
    expect(store.rows).toMatchObject([
      { origin: 'gateway', outcome: 'done', category: 'greeting', backend: 'ollama' },
      { origin: 'gateway', outcome: 'failed', code: 'model_not_found', backend: null },
    ]);
  });
});

describe('a stop', () => {
  it.each([0, 1, 2, 5, 20])('%i turns after the start began leaves nothing', async (turns) => {
    const { core, clock, spawner } = await coreFixture();
    const started = core.start();
    for (let turn = 0; turn < turns; turn += 1) await nextTurn();
    const { gateway, mlxApi } = core.addresses();
    await core.stop();
    await started;
    await clock.advance(3_600_000);
    const running = spawner.children.filter(({ signals }) => signals.length === 0).length;
    const scans = spawner.scans.length;
    expect([running - scans, clock.pending]).toEqual([0, 0]);
    for (const url of [gateway, mlxApi]) if (url) await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  it('ends answers, children, timers and listeners', async () => {
    const { core, clock, spawner, ollama, store, until, withModels } = await coreFixture();
    await withModels('phi3.5:3.8b');
    ollama.ways.push({ frames: [say('Half an')], last: 'silence' });
    await core.handlers.chatSend({ chatId: null, text: 'hello', target: AUTO }, UI);
    await until(({ queue }) => queue.stats.running === 1);
    const setup = spawner.setup('mlx');
    const { gateway } = core.addresses();
    await core.stop();
    await core.stop();
    const children = spawner.children.length;
    await clock.advance(3_600_000);
    expect(setup.signals).toEqual(['SIGTERM']);
    expect(store.saved.at(-1)).toMatchObject({ status: 'stopped', meta: { notice: 'interrupted' } });
    expect([spawner.children.length, clock.pending]).toEqual([children, 0]);
    await expect(fetch(`${gateway}/health`)).rejects.toThrow();
  });
});
