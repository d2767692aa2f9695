import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { FakeClock } from '../../support/fake-clock';
import { HUB_SCRIPT, hubFixture, randomModelFiles } from '../../support/hub-fixture';
import { HubServer } from '../../support/hub-server';
import { livingOf } from '../../support/processes';
import { SLOW } from '../../support/random-model';
import { mlxPython } from '../../support/runtimes';

/** What goes wrong on the way from the hub: the real client, a hub of the test's own. */

const NAME = 'org/random-model';
const run = promisify(execFile);
let hub: HubServer;
let files: Record<string, Buffer>;

beforeAll(async () => {
  hub = await new HubServer().listen();
  files = await randomModelFiles(SLOW);
});
beforeEach(() => {
  hub.fault = { kind: 'none' };
  hub.requests.length = 0;
  hub.repos[NAME] = { files };
});
afterAll(() => hub?.close());

describe('bytes', () => {
  it('a connection that breaks again and again is resumed each time', async () => {
    hub.fault = { kind: 'truncate', afterBytes: 6_000_000 };
    const { pull, scan } = await hubFixture(hub);
    await pull(NAME);
    expect(hub.starts().length).toBeGreaterThan(1);
    expect((await scan()).models).toHaveLength(1);
  });

  it('damaged ones of the right number are found and thrown away; the next try gets whole ones', async () => {
    hub.fault = { kind: 'corrupt' };
    const { pull, scan } = await hubFixture(hub);
    await expect(pull(NAME)).rejects.toMatchObject({
      code: 'pull_failed',
      message: expect.stringMatching(/damaged/),
      details: { model: NAME, problem: 'damaged' },
    });
    expect(await scan()).toMatchObject({ models: [], broken: [] });
    hub.fault = { kind: 'none' };
    hub.requests.length = 0;
    await pull(NAME);
    expect(hub.starts()).toEqual([0]);
    expect((await scan()).models).toHaveLength(1);
  });

  it('that do not come for a minute are a stall: its process is ended, what has arrived is kept', async () => {
    hub.fault = { kind: 'stall', afterBytes: 4_000_000 };
    const clock = new FakeClock();
    // The client's own limit for one read would come first.
    const { begin, pull, spawner } = await hubFixture(hub, {
      clock,
      env: { HF_HUB_DOWNLOAD_TIMEOUT: '3600' },
    });
    const { ended } = await begin(NAME, 3_000_000);
    await clock.advance(60_000);
    expect(await ended).toMatchObject({ code: 'download_stalled', details: { model: NAME } });
    expect(await livingOf([spawner.last.pid ?? 0])).toEqual([]);
    expect(clock.pending).toBe(0);
    hub.fault = { kind: 'none' };
    hub.requests.length = 0;
    await pull(NAME);
    expect(hub.starts()[0]).toBeGreaterThan(2_900_000);
  });
});

describe('refusals', () => {
  it('an unknown repository is named', async () => {
    const { pull } = await hubFixture(hub);
    await expect(pull('org/nothing')).rejects.toMatchObject({
      code: 'model_not_found',
      message: expect.stringMatching(/no model org\/nothing/),
    });
  });

  it('a token that the hub does not know is refused, and appears nowhere', async () => {
    const token = 'hf_wrong-token-of-the-test';
    const { pull, spawner } = await hubFixture(hub, { token: async () => token });
    const failure = await pull(NAME).catch((error) => error);
    expect(failure).toMatchObject({ code: 'hub_token_rejected' });
    expect(JSON.stringify([failure.message, failure.details])).not.toContain(token);
    const [{ command, args, env } = { command: '', args: [], env: {} }] = spawner.specs;
    expect(JSON.stringify([command, args, env])).not.toContain(token);
  });

  it('a token that is no header is in no line, also as Python quotes it', async () => {
    const env = { PATH: process.env.PATH, HOME: tmpdir(), HF_ENDPOINT: hub.url };
    const ended = run(mlxPython(), ['-B', HUB_SCRIPT], { env });
    const token = 'hf_line\nend-of-the-test';
    ended.child.stdin?.end(JSON.stringify({ do: 'lookup', repo: NAME, token }));
    const { stdout } = await ended;
    expect(stdout).toContain('***');
    expect(stdout).not.toContain('of-the-test');
  });

  it('a gated one wants a token; with it the model arrives, and no other host sees the token', async () => {
    hub.repos[NAME] = { files, gated: true };
    let token: string | null = null;
    const { pull } = await hubFixture(hub, { token: async () => token });
    await expect(pull(NAME)).rejects.toMatchObject({ code: 'model_gated', details: { model: NAME } });
    token = hub.token;
    await pull(NAME);
    const elsewhere = hub.requests.filter(({ host }) => host === 'localhost');
    expect(elsewhere.length).toBeGreaterThan(0);
    expect(elsewhere.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  });

  it("the environment's own token is used as the hub's client defines it", async () => {
    hub.repos[NAME] = { files, gated: true };
    const { pull } = await hubFixture(hub, { env: { HF_TOKEN: hub.token } });
    await pull(NAME);
  });

  it('a hub that cannot be reached is not a missing model', async () => {
    // Nothing listens on port 1 of loopback.
    const { pull } = await hubFixture(hub, { env: { HF_ENDPOINT: 'http://127.0.0.1:1' } });
    await expect(pull(NAME)).rejects.toMatchObject({ code: 'pull_failed', details: { problem: 'network' } });
  });

  it.each([
    ['without safetensors', { 'model.gguf': Buffer.alloc(30_000) }, ['config.json'], 'no_safetensors', null],
    ['of an unknown architecture', {}, [], 'unknown_architecture', 'martian'],
    ['that writes no text', {}, [], 'not_mlx', null],
  ])('a repository %s is refused before its weights', async (what, added, kept, reason, architecture) => {
    const config = JSON.parse(String(files['config.json']));
    if (architecture) config.model_type = architecture;
    if (reason === 'not_mlx') config.architectures = ['BertModel'];
    const all = { ...files, 'config.json': Buffer.from(JSON.stringify(config)) };
    const some =
      kept.length === 0 ? all : Object.fromEntries(kept.map((name) => [name, files[name] as Buffer]));
    hub.repos[NAME] = { files: { ...some, ...added } };
    const { pull, scan } = await hubFixture(hub);
    await expect(pull(NAME), what).rejects.toMatchObject({
      code: 'model_unsupported',
      details: { model: NAME, reason, architecture },
    });
    expect(hub.starts()).toEqual([]);
    expect(await scan()).toMatchObject({ models: [], broken: [] });
  });

  it('a description without a usable revision writes nothing', async () => {
    hub.repos[NAME] = { files, sha: '../../x' };
    const { pull, cache } = await hubFixture(hub);
    await expect(pull(NAME)).rejects.toMatchObject({ code: 'pull_failed' });
    expect(existsSync(cache)).toBe(false);
  });
});

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

describe('the disk', () => {
  it('is checked before the first byte', async () => {
    hub.repos[NAME] = { files, declaredBytes: 1e15 };
    const { pull, cache } = await hubFixture(hub);
    const failure = await pull(NAME).catch((error) => error);
    expect(failure).toMatchObject({
      code: 'disk_full',
      message: expect.stringMatching(/needs 1000000\.0 GB more/),
    });
    expect(failure.details.neededBytes).toBeGreaterThan(1e15 - 1);
    expect(failure.details.freeBytes).toBeGreaterThan(0);
    expect(hub.starts()).toEqual([]);
    expect(existsSync(join(cache, 'models--org--random-model', 'blobs'))).toBe(false);
  });

  it.skipIf(noMount !== null)(`that fills up meanwhile keeps what has arrived ${noMount ?? ''}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tandem-full-'));
    // The space that every download leaves, and a little more than the model.
    await run('mount', ['-t', 'tmpfs', '-o', 'size=120m', 'tmpfs', folder]);
    onTestFinished(async () => {
      await run('umount', [folder]);
      await rm(folder, { recursive: true });
    });
    const { begin, pull, scan } = await hubFixture(hub, { cache: join(folder, 'hub') });
    hub.fault = { kind: 'stall', afterBytes: 4_000_000 };
    const { ended } = await begin(NAME, 3_000_000);
    await fill(folder);
    hub.fault = { kind: 'none' };
    hub.dropStalled();
    expect(await ended).toMatchObject({
      code: 'disk_full',
      message: expect.stringMatching(/free some space/),
    });
    const blobs = join(folder, 'hub', 'models--org--random-model', 'blobs');
    const partial = readdirSync(blobs).find((name) => name.endsWith('.incomplete')) ?? '';
    expect(statSync(join(blobs, partial)).size).toBeGreaterThan(3_000_000);
    await rm(join(folder, 'ballast'));
    await pull(NAME);
    expect((await scan()).models).toHaveLength(1);
  });
});

/** Fills the file system. */
async function fill(folder: string): Promise<void> {
  const tooMuch = Buffer.alloc(130_000_000);
  await expect(writeFile(join(folder, 'ballast'), tooMuch)).rejects.toMatchObject({ code: 'ENOSPC' });
}
