import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SMALL_MODEL_NAME } from '../../src/shared/domain';
import type { Download } from '../../src/shared/models';
import { type App, ask, startApp, until } from '../support/app';
import { withoutSmallModel } from '../support/counting-model';
import { signalAll } from '../support/processes';
import { type ServedModel, serveCapableModel } from '../support/served-model';
import { downloadIn, openWebClient, type WebClient } from '../support/web-client';

/** Downloads a model through the real Ollama from a local registry of the test, as the UI's button does. */
/** The small model knows English only. */
const TASK = 'Напиши функцию, которая сортирует список';
let served: ServedModel;

beforeAll(async () => {
  served = await serveCapableModel();
});
afterEach(() => {
  served.registry.fault = { kind: 'none' };
  served.registry.pauseMs = 1;
});
afterAll(() => served?.close());

/** Starts a download and resolves with its state once it has ended or `until` is true. */
function pull(
  page: WebClient,
  name: string,
  until = (now: Download) => now.state === 'done' || now.state === 'failed',
): Promise<Download> {
  const from = page.pushes.length;
  const outcome = page.next((push) => {
    const now = page.pushes.indexOf(push) < from ? undefined : downloadIn(push, name);
    return now && until(now) ? now : undefined;
  }, `download of ${name}`);
  return page.call('downloadStart', { backend: 'ollama', name, insecure: true }).then(() => outcome);
}

/** Bytes on disk of the model folder's blobs; reserved space counts only once it is written. */
async function blobBytes(modelsDir: string): Promise<number> {
  const names = await readdir(join(modelsDir, 'blobs'));
  const sizes = await Promise.all(names.map((name) => stat(join(modelsDir, 'blobs', name))));
  return sizes.reduce((sum, { blocks }) => sum + blocks * 512, 0);
}

describe('a model for a user who has none', () => {
  let app: App;
  let page: WebClient;
  let waiting: { chatId: string; answerId: string };

  beforeAll(async () => {
    app = await startApp({ env: { MLX_RATE_LIMIT_MAX: '0' } });
    page = await openWebClient(app);
    waiting = await page.call('chatSend', { chatId: null, text: TASK, target: { kind: 'auto' } });
  });
  afterAll(async () => {
    page?.close();
    await app?.stop();
    await app?.remove();
  });

  const expectNothingNew = async () => {
    const { models, capable } = await page.snapshot();
    expect(models.filter(({ backend }) => backend === 'ollama').map(({ name }) => name)).toEqual([
      SMALL_MODEL_NAME,
    ]);
    expect(capable).toBe(false);
    // It is retried whenever a server has come up.
    await until(async () => {
      const { status, meta } = await page.answer(waiting.chatId, waiting.answerId);
      return status === 'done' && meta.source === 'app';
    }, 'the message waits');
  };

  it('rejects an invalid model name before any request', async () => {
    for (const name of ['../../etc/passwd', 'a b', '$(id)', 'x;y', '-x', '/abs']) {
      await expect(page.call('downloadStart', { backend: 'ollama', name })).rejects.toMatchObject({
        code: 'bad_model_name',
      });
    }
  });

  it('reports that the registry has no such model', async () => {
    expect(await pull(page, served.registry.pullName('nothing'))).toMatchObject({
      state: 'failed',
      error: { code: 'model_not_found', message: expect.stringMatching(/check the name/) },
    });
    await expectNothingNew();
  });

  it('reports that the registry is unreachable', async () => {
    // Nothing listens on port 1 of loopback.
    const gone = await pull(page, '127.0.0.1:1/library/capable:latest');
    expect(gone).toMatchObject({ state: 'failed', error: { code: 'pull_failed' } });
    expect(gone.error?.message).toMatch(/cannot be reached. Check the network/);
    await expectNothingNew();
  });

  it('lists nothing after a broken layer, and suggests a cure', async () => {
    served.registry.fault = { kind: 'corrupt' };
    const broken = await pull(page, served.registry.pullName());
    expect(broken).toMatchObject({ state: 'failed', error: { code: 'pull_failed' } });
    expect(broken.error?.message).toMatch(/damaged.*try again/i);
    await expectNothingNew();
  });

  it('stops a download that hangs when it is cancelled', async () => {
    served.registry.fault = { kind: 'stall', afterBytes: 200_000 };
    const name = served.registry.pullName();
    const hanging = await pull(page, name, (now) => now.completedBytes > 0);
    expect(hanging.state).toBe('running');
    const from = page.pushes.length;
    await page.call('downloadCancel', { backend: 'ollama', name });
    await page.next((push) => {
      const { downloads } = push.name === 'patch' ? push.payload.patch : {};
      const isListed = downloads?.some((download) => download.name === name) ?? true;
      return page.pushes.indexOf(push) >= from && !isListed ? true : undefined;
    }, 'it is removed from the list');
    await served.registry.idle();
    const before = await blobBytes(join(app.dataDir, 'ollama-models'));
    // A download that continued would finish within this time.
    served.registry.fault = { kind: 'none' };
    await served.registry.quiet(1_500);
    expect(await blobBytes(join(app.dataDir, 'ollama-models'))).toBe(before);
    await expectNothingNew();
  });

  it('reports when Ollama dies during the download', async () => {
    served.registry.fault = { kind: 'stall', afterBytes: 200_000 };
    const name = served.registry.pullName();
    await pull(page, name, (now) => now.completedBytes > 0);
    const end = pull(page, name);
    signalAll([Number((await app.health()).backends.ollama?.pid)], 'SIGKILL');
    expect(await end).toMatchObject({
      state: 'failed',
      error: { code: 'pull_failed', message: expect.stringMatching(/Ollama ended .* Try again/) },
    });
    const down = await pull(page, name);
    expect(down).toMatchObject({ state: 'failed', error: { code: 'ollama_down' } });
    await until(async () => (await app.health()).backends.ollama?.state === 'ready', 'Ollama is back');
    await expectNothingNew();
  });

  it('shows increasing bytes after a restart, and the waiting message is answered in place', async () => {
    served.registry.pauseMs = 30;
    const name = served.registry.pullName();
    const from = page.downloads(name).length;
    const done = await pull(page, name);
    expect(done).toMatchObject({ state: 'done', error: null });
    const answered = await page.next(
      (push) =>
        push.name === 'answerState' &&
        push.payload.answerId === waiting.answerId &&
        push.payload.meta.source === 'ollama' &&
        push.payload.status === 'done'
          ? push.payload
          : undefined,
      'the waiting message is answered',
    );
    const bytes = page
      .downloads(name)
      .slice(from)
      .map(({ completedBytes }) => completedBytes);
    expect(new Set(bytes.filter((count) => count > 0)).size).toBeGreaterThanOrEqual(3);
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
    // Ollama does not report the end of every small layer.
    expect(done.completedBytes).toBeGreaterThan(0.99 * (done.totalBytes ?? Number.NaN));
    const found = name.replace(/:latest$/, '');
    expect(answered.meta).toMatchObject({ model: found, notice: null, error: null });
    const answer = await page.answer(waiting.chatId, waiting.answerId);
    expect(answer).toMatchObject({ status: 'done', meta: { source: 'ollama', model: found } });
    expect(answer.text).toMatch(/\w/);
    const { messages } = await page.call('chatOpen', { chatId: waiting.chatId });
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
    expect((await page.snapshot()).capable).toBe(true);
    expect(await ask(app.ready.gateway, TASK)).toMatchObject({
      status: 200,
      backend: 'ollama',
      model: found,
    });
  });
});

const run = promisify(execFile);
/** Why a small file system for the test cannot be mounted here; null = it can. */
const noMount = await mountable();

async function mountable(): Promise<string | null> {
  if (process.platform !== 'linux') return 'needs tmpfs';
  const folder = await mkdtemp(join(tmpdir(), 'tandem-mount-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
    await run('umount', [folder]);
    return null;
  } catch {
    return 'mounting is not permitted';
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('a full disk', () => {
  it.skipIf(noMount !== null)(
    `fails the download with the cure, and the app lives on ${noMount ?? ''}`,
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'tandem-full-'));
      await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder]);
      try {
        const dataDir = await mkdtemp(join(tmpdir(), 'tandem-full-data-'));
        await withoutSmallModel(dataDir);
        const app = await startApp({ dataDir, env: { OLLAMA_MODELS: folder } });
        const page = await openWebClient(app);
        try {
          await fill(folder);
          const name = served.registry.pullName();
          const full = await pull(page, name);
          expect(full).toMatchObject({ state: 'failed', error: { code: 'disk_full' } });
          expect(full.error?.message).toMatch(/free some space/);
          expect((await app.health()).backends.ollama?.state).toBe('ready');
          expect((await page.snapshot()).models.filter(({ backend }) => backend === 'ollama')).toEqual([]);
          await rm(join(folder, 'ballast'));
          expect(await pull(page, name)).toMatchObject({ state: 'done' });
        } finally {
          page.close();
          await app.stop();
          await app.remove();
        }
      } finally {
        await run('umount', [folder]);
        await rm(folder, { recursive: true });
      }
    },
  );
});

/** Leaves less space than the model's weights need. */
async function fill(folder: string): Promise<void> {
  const { stdout } = await run('df', ['-B1', '--output=avail', folder]);
  const free = Number(stdout.trim().split('\n').at(-1));
  await writeFile(join(folder, 'ballast'), Buffer.alloc(free - 400_000));
}
