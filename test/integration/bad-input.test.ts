import { execFileSync } from 'node:child_process';
import { rmdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Message } from '../../src/shared/chat';
import { type App, ask, freePort, NO_SERVERS, PATIENCE_MS, startApp } from '../support/app';
import { type ContractClient, connect } from '../support/contract-client';
import { type FakeOllama, startFakeOllama } from '../support/fake-ollama';
import { spawnHost } from '../support/host-process';
import { tempDir } from '../support/temp-dir';

/** The user's result for each invalid input: a code, the cure, and no lost data. On the built host. */

const AUTO = { kind: 'auto' } as const;
const CODE = 'Write a Python function that merges two sorted lists';

/** An invalid value for every variable that is not free text. */
const BAD_ENVIRONMENT: Record<string, string> = {
  TANDEM_WEB_HOST: 'not a host',
  TANDEM_WEB_PORT: 'eleven',
  TANDEM_GATEWAY_HOST: '127.0.0.1/8',
  TANDEM_MLX_API_HOST: '!',
  TANDEM_ALLOWED_HOSTS: 'good.local, http://bad.local/',
  TANDEM_ALLOWED_ORIGINS: 'studio.local',
  OLLAMA_MAX_CONCURRENT: '0',
  MLX_ONLY_LIGHT: 'perhaps',
  MLX_MODEL_FAST: 'x'.repeat(301),
  MLX_MAX_CONCURRENT: 'one',
  MLX_MAX_CACHED_MODELS: '-1',
  MLX_QUEUE_WAIT_TIMEOUT: '5m',
  MLX_RATE_LIMIT_MAX: '1.5',
  MLX_RATE_LIMIT_WINDOW: '0',
  MLX_MEMORY_WARNING_PERCENT: '850',
  MLX_MEMORY_CRITICAL_PERCENT: '95%',
  LOCAL_ROUTER_LLM_TIMEOUT: 'NaN',
  TANDEM_HANG_PATIENCE: '0',
  VICTORIA_MLX_LIGHT_CLASSIFY: 'maybe',
  MODEL_TIME_ESTIMATES: '{"a":',
  SMART_WORKER_BATCH_BY_MODEL: '2',
  RAG_SNIPPET_CHARS: '-500',
  RAG_TOP1_FULL_MAX_CHARS: '2k',
};

async function hold(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((settle) => server.listen(port, '127.0.0.1', settle));
  onTestFinished(() => new Promise<void>((settle) => void server.close(() => settle())));
  return server;
}

const textOf = (messages: Message[], role: Message['role']) =>
  messages.filter((message) => message.role === role).map(({ text }) => text);

describe('one start with all errors at once', () => {
  let app: App;
  let ui: ContractClient;
  let health: Awaited<ReturnType<App['health']>>;
  let folder: string;

  beforeAll(async () => {
    folder = execFileSync('mktemp', ['-d']).toString().trim();
    const model = join(folder, 'models', 'half-loaded-3b');
    await mkdir(model, { recursive: true });
    await writeFile(join(model, 'config.json'), '{"model_type":"llama"}');
    await writeFile(
      join(model, 'model.safetensors.index.json'),
      '{"weight_map":{"a":"model-00001.safetensors","b":"model-00002.safetensors"}}',
    );
    await writeFile(join(model, 'model-00001.safetensors'), 'weights');
    const dataDir = join(folder, 'data');
    await mkdir(dataDir);
    const lastGood = { version: 1, values: { theme: 'dark', modelFolders: [join(folder, 'models')] } };
    await writeFile(join(dataDir, 'settings.json'), '{"version":1,"values":{"theme":');
    await writeFile(join(dataDir, 'settings.last-good.json'), JSON.stringify(lastGood));
    await writeFile(join(dataDir, 'tandem.db'), 'this is no database '.repeat(200));
    app = await startApp({ dataDir, env: { ...BAD_ENVIRONMENT, TANDEM_MLX_PYTHON: '/nowhere/python' } });
    ui = await connect(app.ready.web);
    health = await app.health();
  });

  afterAll(async () => {
    await app?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const warning = (code: string, about = '') =>
    health.warnings.find((entry) => entry.code === code && entry.message.includes(about));

  it('sets a corrupt settings file aside, reports it and uses the last good copy', async () => {
    const aside = (await readdir(app.dataDir)).find((name) => name.startsWith('settings.corrupt-'));
    expect(await readFile(join(app.dataDir, String(aside)), 'utf8')).toBe('{"version":1,"values":{"theme":');
    expect(warning('settings_corrupt')?.message).toContain(aside);
    const { settings } = await ui.snapshot();
    expect(settings.theme).toMatchObject({ value: 'dark', source: 'file' });
  });

  it('sets an unreadable database aside, reports it and starts a new one that stores chats', async () => {
    const aside = (await readdir(app.dataDir)).find((name) => name.startsWith('tandem.unreadable-'));
    expect(await readFile(join(app.dataDir, String(aside)), 'utf8')).toMatch(/^this is no database/);
    expect(warning('database_unreadable')?.message).toContain(aside);
    const { chatId } = await ui.value('chatSend', { chatId: null, text: 'hello', target: AUTO });
    const { messages } = await ui.value('chatOpen', { chatId });
    expect(textOf(messages, 'user')).toEqual(['hello']);
  });

  it.each(Object.keys(BAD_ENVIRONMENT))(
    'names %s with what is accepted, and holds the default',
    async (name) => {
      const named = health.warnings.filter((entry) => entry.message.startsWith(`${name} `));
      expect(named).toHaveLength(1);
      expect(named[0]).toMatchObject({ code: 'environment_invalid' });
      expect(named[0]?.message).toMatch(/ is ignored\. Accepted: .{3,}\.$/);
      expect(app.log()).toContain(`${name} was not understood`);
      const held = Object.values((await ui.snapshot()).settings).filter(({ env }) => env === name);
      expect(held).toEqual([]);
    },
  );

  it('reports a half-downloaded model and does not offer it', async () => {
    expect(warning('model_incomplete', 'half-loaded-3b')?.message).toMatch(/Finish the download/);
    const tags = (await (await fetch(`${app.ready.mlxApi}/api/tags`)).json()) as {
      models: { name: string }[];
    };
    expect(tags.models.map(({ name }) => name).join()).not.toContain('half-loaded');
  });

  it('reports that MLX is absent and the cure, and lets Ollama answer', async () => {
    expect(health.status).toBe('degraded');
    expect(health.backends.mlx).toMatchObject({ state: 'absent', code: 'mlx_python_broken' });
    expect(health.backends.mlx?.cure).toContain('TANDEM_MLX_PYTHON');
    const answer = await ask(app.ready.gateway, 'hello');
    expect(answer).toMatchObject({ status: 200, backend: 'ollama' });
    expect(answer.text).toMatch(/\w/);
    expect(answer.reasons.join()).toContain('mlx-absent');
  });

  it.each(['../../etc/passwd', 'a;rm -rf /', '$(id)', 'a`id`', 'a\nb', 'mlx/../starter', '/etc/passwd'])(
    'refuses the model name %j on both ports',
    async (model) => {
      for (const base of [app.ready.gateway, app.ready.mlxApi]) {
        const answer = await ask(base, 'hello', { model });
        expect(answer).toMatchObject({ status: 400, code: 'bad_model_name' });
        expect(answer.error).toMatch(/use a name/);
      }
    },
  );

  it('answers 508 to a request that it sent itself', async () => {
    for (const base of [app.ready.gateway, app.ready.mlxApi]) {
      const headers = { 'x-tandem-hop': `other, ${health.instance}` };
      expect(await ask(base, 'hello', { headers })).toMatchObject({ status: 508, code: 'loop_detected' });
    }
  });
});

describe('a database of a newer version', () => {
  it('is read but not changed, with the reason, and rejects messages with the cure', async () => {
    const dataDir = tempDir();
    const fake = await startFakeOllama({ words: 3, everyMs: 1 });
    onTestFinished(() => fake.close());
    const env = { ...NO_SERVERS, OLLAMA_API_URL: fake.url };
    const first = await startApp({ dataDir, env });
    onTestFinished(async () => void (await first.stop()));
    const before = await connect(first.ready.web);
    const { chatId } = await before.value('chatSend', { chatId: null, text: CODE, target: AUTO });
    await first.stop();
    const db = new DatabaseSync(join(dataDir, 'tandem.db'));
    db.exec('PRAGMA user_version = 99');
    db.close();
    const asked = fake.requests();

    const app = await startApp({ dataDir, env });
    onTestFinished(async () => void (await app.stop()));
    const ui = await connect(app.ready.web);
    const { warnings, chats } = await ui.snapshot();
    expect(warnings.find(({ code }) => code === 'database_newer')?.message).toContain('Update Tandem');
    expect(chats.map(({ id }) => id)).toEqual([chatId]);
    const { messages } = await ui.value('chatOpen', { chatId });
    expect(textOf(messages, 'user')).toEqual([CODE]);
    const refused = await ui.call('chatSend', { chatId, text: 'more', target: AUTO });
    expect(refused).toMatchObject({ ok: false, error: { code: 'read_only' } });
    expect(fake.requests()).toBe(asked);
    // Other programs are still served: only the chats are closed.
    expect(await ask(app.ready.gateway, CODE)).toMatchObject({ status: 200, backend: 'ollama' });
  });
});

const mayMount = process.platform === 'linux' && process.getuid?.() === 0 && canMount();

function canMount(): boolean {
  const folder = execFileSync('mktemp', ['-d']).toString().trim();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}

describe.skipIf(!mayMount)('a full disk (needs the right to mount a small one)', () => {
  let app: App;
  let ui: ContractClient;
  let fake: FakeOllama;
  let dataDir: string;
  const filler = () => join(dataDir, 'filler');
  const fill = () => execFileSync('sh', ['-c', `dd if=/dev/zero of=${filler()} bs=4k 2>/dev/null || true`]);

  beforeAll(async () => {
    dataDir = execFileSync('mktemp', ['-d']).toString().trim();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m,mode=700', 'tmpfs', dataDir]);
    fake = await startFakeOllama({ words: 30, everyMs: 50, wordLength: 5_000 });
    app = await startApp({ dataDir, env: { ...NO_SERVERS, OLLAMA_API_URL: fake.url } });
    ui = await connect(app.ready.web);
  });

  afterAll(async () => {
    await app?.stop();
    await fake?.close();
    execFileSync('umount', [dataDir]);
    await rm(dataDir, { recursive: true, force: true });
  });

  it('rejects a message with `disk_full`, sends nothing, survives, and accepts it once there is space', async () => {
    const { chatId } = await ui.value('chatSend', { chatId: null, text: `first: ${CODE}`, target: AUTO });
    await expect.poll(() => fake.requests(), { timeout: PATIENCE_MS }).toBe(1);
    fill();
    const text = `${CODE} ${'and explain it '.repeat(40_000)}`;
    const refused = await ui.call('chatSend', { chatId, text, target: AUTO });
    expect(refused).toMatchObject({ ok: false, error: { code: 'disk_full' } });
    expect(refused.ok || refused.error.message).toMatch(/Free some space/);
    const setting = await ui.call('settingsSet', { key: 'theme', value: 'dark' });
    expect(setting).toMatchObject({ ok: false, error: { code: 'disk_full' } });
    expect((await ui.snapshot()).settings.theme?.value).toBe('system');
    expect(fake.requests()).toBe(1);
    expect(await ask(app.ready.gateway, CODE)).toMatchObject({ status: 200, backend: 'ollama' });

    await rm(filler());
    await ui.value('chatSend', { chatId, text: `again: ${CODE}`, target: AUTO });
    const { messages } = await ui.value('chatOpen', { chatId });
    expect(textOf(messages, 'user')).toEqual([`first: ${CODE}`, `again: ${CODE}`]);
    await ui.value('settingsSet', { key: 'theme', value: 'dark' });
  });

  const answersIn = async (chatId: string) => {
    const { messages } = await ui.value('chatOpen', { chatId });
    return messages.filter((message) => message.role === 'assistant');
  };

  it('keeps an answer that could not be stored, and stores it once there is space', async () => {
    const { chatId } = await ui.value('chatSend', { chatId: null, text: CODE, target: AUTO });
    await expect
      .poll(async () => (await answersIn(chatId))[0]?.text.length, { timeout: PATIENCE_MS })
      .toBeGreaterThan(5_000);
    fill();
    await expect
      .poll(async () => (await answersIn(chatId))[0]?.status, { timeout: PATIENCE_MS })
      .toBe('done');
    const whole = (await answersIn(chatId))[0]?.text;
    expect(whole).toHaveLength(30 * 5_001);
    await rm(filler());
    await app.stop();
    app = await startApp({ dataDir, env: { ...NO_SERVERS, OLLAMA_API_URL: fake.url } });
    ui = await connect(app.ready.web);
    expect((await answersIn(chatId))[0]).toMatchObject({ status: 'done', text: whole });
  });

  it('exits with 1 and the cure when it cannot even start', async () => {
    await app.stop();
    fill();
    const host = spawnHost({ dataDir, env: NO_SERVERS });
    expect(await host.ended).toMatchObject({ code: 1 });
    expect(host.stderr()).toMatch(/^disk_full: .*[Ff]ree some space/m);
    await rm(filler());
    app = await startApp({ dataDir, env: { ...NO_SERVERS, OLLAMA_API_URL: fake.url } });
    ui = await connect(app.ready.web);
    expect((await ui.snapshot()).chats).toHaveLength(2);
  });
});

describe('a start that must fail', () => {
  it('exits with 1 and the cure when the data folder is a file', async () => {
    const dataDir = join(tempDir(), 'file');
    await writeFile(dataDir, 'kept');
    const host = spawnHost({ dataDir, env: NO_SERVERS });
    expect(await host.ended).toMatchObject({ code: 1 });
    expect(host.stderr()).toMatch(/^read_only: .*TANDEM_DATA_DIR or --data-dir/m);
    expect(host.stderr()).toContain(dataDir);
    expect(await readFile(dataDir, 'utf8')).toBe('kept');
  });

  it.each(['TANDEM_GATEWAY_PORT', 'TANDEM_MLX_API_PORT'])(
    'ends with 1 and names the holder when the port of %s is taken',
    async (variable) => {
      const dataDir = tempDir();
      const port = await freePort();
      await hold(port);
      const host = spawnHost({ dataDir, env: { ...NO_SERVERS, [variable]: String(port) } });
      expect(await host.ended).toMatchObject({ code: 1 });
      expect(host.stderr()).toMatch(
        new RegExp(`^port_taken: Port ${port} is taken by .* \\(process ${process.pid}\\)`, 'm'),
      );
      expect(host.stderr()).toContain(`choose another port with ${variable}`);
      expect(host.stdout()).not.toContain('ready {');
      expect(await readdir(dataDir)).not.toContain('instance.json');
    },
  );

  it('exits with 1 and names the instance that uses the data folder, which continues', async () => {
    const app = await startApp({ env: NO_SERVERS });
    onTestFinished(async () => {
      await app.stop();
      await app.remove();
    });
    const host = spawnHost({ dataDir: app.dataDir, env: NO_SERVERS });
    expect(await host.ended).toMatchObject({ code: 1 });
    expect(host.stderr()).toMatch(
      new RegExp(`^data_dir_locked: .* process ${app.process.pid}\\. Quit that Tandem`, 'm'),
    );
    expect((await fetch(`${app.ready.gateway}/health`)).status).toBe(200);
    expect((await stat(join(app.dataDir, 'instance.json'))).isFile()).toBe(true);
  });

  it.each(['TANDEM_WEB_HOST', 'TANDEM_GATEWAY_HOST', 'TANDEM_MLX_API_HOST'])(
    'ends with 1 when %s would let other machines in, because nothing keeps them out',
    async (variable) => {
      const dataDir = tempDir();
      const host = spawnHost({ dataDir, env: { ...NO_SERVERS, [variable]: '0.0.0.0' } });
      expect(await host.ended).toMatchObject({ code: 1 });
      expect(host.stderr()).toMatch(
        /^environment_invalid: 0\.0\.0\.0 can be reached by other machines.*127\.0\.0\.1/m,
      );
      expect(await readdir(dataDir)).not.toContain('instance.json');
    },
  );

  it('exits with 2 for an unknown option', async () => {
    const host = spawnHost({ dataDir: tempDir(), args: ['--no-such-option'] });
    expect(await host.ended).toMatchObject({ code: 2 });
    expect(host.stderr()).toContain('--no-such-option');
  });

  it('uses the next free port for the UI, and reports it', async () => {
    const port = await freePort();
    await hold(port);
    const app = await startApp({ env: { ...NO_SERVERS, TANDEM_WEB_PORT: String(port) } });
    onTestFinished(async () => {
      await app.stop();
      await app.remove();
    });
    const moved = Number(new URL(app.ready.web).port);
    expect(moved).toBeGreaterThan(port);
    expect((await (await connect(app.ready.web)).snapshot()).app.host).toBe('headless');
    const message = `Port ${port} is taken by`;
    expect(app.log()).toContain(message);
    const said = (await app.health()).warnings.find(({ code }) => code === 'port_taken');
    expect(said?.message).toContain(message);
    expect(said?.message).toContain(`(process ${process.pid})`);
    expect(said?.message).toContain(String(moved));
  });
});

describe('a backend address that leads to Tandem itself', () => {
  it('is rejected under every alias, and no request loops', async () => {
    const [gateway, mlxApi] = [await freePort(), await freePort()];
    const app = await startApp({
      env: {
        TANDEM_GATEWAY_PORT: String(gateway),
        TANDEM_MLX_API_PORT: String(mlxApi),
        OLLAMA_API_URL: `http://localhost:${gateway}`,
        MLX_API_URL: `http://127.0.0.1:${mlxApi}/`,
      },
    });
    onTestFinished(async () => {
      await app.stop();
      await app.remove();
    });
    const { backends, status } = await app.health();
    expect(status).toBe('degraded');
    for (const backend of [backends.mlx, backends.ollama]) {
      expect(backend).toMatchObject({ state: 'absent', code: 'self_reference' });
      expect(backend?.last_error).toMatchObject({ code: 'self_reference' });
      expect(backend?.cure).toMatch(/leads to Tandem itself; give the server's own address/);
    }
    for (const base of [app.ready.gateway, app.ready.mlxApi]) {
      const answer = await ask(base, CODE);
      expect(answer.status).toBe(503);
      expect(answer.error).toMatch(/\w/);
    }
  });
});
