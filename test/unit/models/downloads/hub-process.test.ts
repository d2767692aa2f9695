import { expect, it } from 'vitest';
import { runHub } from '../../../../src/main/models/downloads/hub-process';
import { FakeClock, settle } from '../../../support/fake-clock';
import { FakeSpawner } from '../../../support/fake-processes';

const REQUEST = { do: 'download', repo: 'org/m', token: 'hf_secret' } as const;

function start(env: Record<string, string> = {}, signal = new AbortController().signal) {
  const spawner = new FakeSpawner();
  const clock = new FakeClock();
  const hub = { spawner, clock, script: 'hub.py', env };
  const run = runHub(hub, 'python', REQUEST, {}, signal).then(
    () => 'done',
    (error) => error,
  );
  return { spawner, clock, run };
}

it('passes on what the client reads of the environment, and the token only through standard input', async () => {
  const kept = {
    HF_ENDPOINT: 'https://hub.example',
    HF_HOME: '/hf',
    HF_HUB_CACHE: '/hub',
    XDG_CACHE_HOME: '/cache',
    HF_TOKEN: 'hf_env',
    HUGGING_FACE_HUB_TOKEN: 'hf_older',
    HTTPS_PROXY: 'http://proxy',
    no_proxy: 'localhost',
    SSL_CERT_FILE: '/ca.pem',
  };
  const left = { HF_HUB_OFFLINE: '1', TRANSFORMERS_OFFLINE: '1', HF_DEBUG: '1', TANDEM_WEB_TOKEN: 'x' };
  const { spawner, run } = start({ ...kept, ...left });
  const [{ env, args, input } = { env: {}, args: [], input: '' }] = spawner.specs;
  expect(env).toMatchObject({ ...kept, HF_HUB_DISABLE_XET: '1', HF_HUB_DISABLE_TELEMETRY: '1' });
  expect(Object.keys(left).filter((name) => name in env)).toEqual([]);
  expect(JSON.stringify([env, args])).not.toContain(REQUEST.token);
  expect(JSON.parse(input ?? '')).toEqual(REQUEST);
  spawner.last.stdout.end('{"type":"done"}\n');
  spawner.last.exit(0);
  expect(await run).toBe('done');
});

it.each([
  ['is ended', ['SIGKILL'] as const, 0],
  ['is left behind if it cannot be', [], 10_000],
])('a process that hangs after its last line %s', async (_what, obeys, ms) => {
  const { spawner, clock, run } = start();
  spawner.last.obeys = [...obeys];
  spawner.last.stdout.end('{"type":"done"}\n');
  await settle();
  expect(spawner.last.signals).toEqual(['SIGKILL']);
  await clock.advance(ms);
  expect(await run).toBe('done');
  expect(clock.pending).toBe(0);
});

it.each([
  ['no JSON', 'Traceback\n'],
  ['another line', '{"type":"else"}\n'],
  ['a line without end', 'x'.repeat(3_000_000)],
  ['negative bytes', '{"type":"facts","sizeBytes":-1}\n'],
])('ends a process that writes %s', async (_what, text) => {
  const { spawner, run } = start();
  spawner.last.stdout.write(text);
  expect(await run).toBeInstanceOf(Error);
  expect(spawner.last.signals).toEqual(['SIGKILL']);
});

it('fails when the process ends before it has said how it went', async () => {
  const { spawner, run } = start();
  spawner.last.stdout.end('{"type":"progress","step":"downloading","completed":1,"total":2}\n');
  spawner.last.exit(1);
  expect(await run).toMatchObject({ code: 'pull_failed', details: { problem: 'ended' } });
});

it('each line starts the minute again after which a silent process is ended', async () => {
  const { spawner, clock, run } = start();
  await clock.advance(59_000);
  spawner.last.stdout.write('{"type":"progress","step":"downloading","completed":1,"total":null}\n');
  await settle();
  await clock.advance(59_000);
  expect(spawner.last.signals).toEqual([]);
  await clock.advance(1_000);
  expect(await run).toMatchObject({ code: 'download_stalled' });
  expect(spawner.last.signals).toEqual(['SIGKILL']);
  expect(clock.pending).toBe(0);
});

it('starts nothing for a caller that has left already', async () => {
  const { spawner, run } = start({}, AbortSignal.abort(new Error('gone')));
  expect(await run).toMatchObject({ message: 'gone' });
  expect(spawner.children).toEqual([]);
});
