import { Hash } from 'node:crypto';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Fingerprints } from '../../../../src/main/dispatch/suspects/fingerprints';
import { silentLogger } from '../../../../src/main/ports/logger';
import { fingerprintOf } from '../../../../src/main/router/fingerprint';
import type { CompletionRequest } from '../../../../src/shared/completion';
import { EXIT_CAUSES } from '../../../../src/shared/incidents';
import { FakeClock } from '../../../support/fake-clock';
import { MemoryFiles } from '../../../support/memory-files';

const PATH = 'suspects.json';
const HOUR = 3_600_000;

function request(text: string, more: Partial<CompletionRequest> = {}): CompletionRequest {
  return {
    id: 'r1',
    messages: [{ role: 'user', content: text }],
    model: { kind: 'auto' },
    priority: 'medium',
    client: 'one',
    sampling: { temperature: 0, maxTokens: 5 },
    strict: false,
    origin: 'gateway',
    ...more,
  };
}

function setUp(files = new MemoryFiles(), clock = new FakeClock()) {
  return { files, clock, known: new Fingerprints({ files, path: PATH, clock, logger: silentLogger }) };
}

describe('a fingerprint', () => {
  it.each([
    [
      'another id, client, priority and model',
      { id: 'r2', client: 'two', model: { kind: 'backend', backend: 'mlx' } },
    ],
    ['another order of parameters', { sampling: { maxTokens: 5, temperature: 0 } }],
    ['a parameter that is absent', { sampling: { temperature: 0, maxTokens: 5, seed: undefined } }],
    ['outer spaces and line ends', { messages: [{ role: 'user', content: ' e\u0301\r\nb\n' }] }],
  ] as [string, Partial<CompletionRequest>][])('is the same with %s', (_, more) => {
    expect(fingerprintOf(request('\u00e9\nb', more))).toBe(fingerprintOf(request('\u00e9\nb')));
  });

  it.each([
    ['text', { messages: [{ role: 'user', content: 'b' }] }],
    ['role', { messages: [{ role: 'system', content: 'a' }] }],
    ['parameters', { sampling: { temperature: 1, maxTokens: 5 } }],
    ['options of the server', { extra: { options: { num_thread: 5 } } }],
    ['choice of tools', { toolChoice: 'none' }],
    ['a raw prompt', { rawPrompt: 'a' }],
  ] as [string, Partial<CompletionRequest>][])('differs with another %s', (_, more) => {
    expect(fingerprintOf(request('a', more))).not.toBe(fingerprintOf(request('a')));
  });
});

/** A request that counts how often its text is read. */
function counted(text: string) {
  const message = { role: 'user' as const, content: text };
  let reads = 0;
  Object.defineProperty(message, 'content', {
    enumerable: true,
    get() {
      reads += 1;
      return text;
    },
  });
  return { request: request('', { messages: [message] }), reads: () => reads };
}

describe('a large request', () => {
  it('is read once, however often it is looked up', () => {
    const { known } = setUp();
    known.blame(request('somebody else'), 'mlx', 'unknown');
    const { request: large, reads } = counted('a'.repeat(3_000_000));
    expect(known.of(large).deaths).toBe(0);
    for (let turn = 0; turn < 3; turn += 1) known.of(large);
    known.blame(large, 'ollama', 'unknown');
    expect(known.of(large).deaths).toBe(1);
    known.acquit(large, 'ollama');
    expect(reads()).toBe(1);
  });

  it('is identified by its newest million characters and the lengths of the rest', () => {
    const talk = (...texts: string[]) =>
      fingerprintOf(request('', { messages: texts.map((content) => ({ role: 'user' as const, content })) }));
    const old = 'o'.repeat(100);
    const long = 'l'.repeat(1_000_000);
    expect(talk('x'.repeat(100), long)).toBe(talk(old, long));
    expect(talk('x'.repeat(101), long)).not.toBe(talk(old, long));
    expect(talk(old, `x${long.slice(1)}`)).not.toBe(talk(old, long));
    expect(talk('x'.repeat(100), 'short')).not.toBe(talk(old, 'short'));
  });
});

describe('the input of a fingerprint', () => {
  it.each([
    [
      'messages',
      { messages: Array.from({ length: 50_000 }, () => ({ role: 'user' as const, content: 'a' })) },
    ],
    [
      'tools',
      {
        tools: [
          {
            name: 'f',
            parameters: Object.fromEntries(Array.from({ length: 90_000 }, (_, index) => [`k${index}`, 'a'])),
          },
        ],
      },
    ],
    [
      'pictures',
      { messages: [{ role: 'user', content: Array(90_000).fill({ type: 'image', data: 'QUJD' }) }] },
    ],
  ] as [string, Partial<CompletionRequest>][])('is bounded: %s', (_, more) => {
    const hash = vi.spyOn(Hash.prototype, 'update');
    onTestFinished(() => hash.mockRestore());
    fingerprintOf(request('', more));
    expect(hash.mock.calls.length).toBeLessThan(25_000);
  });

  it('includes tools and pictures, independent of the order of fields', () => {
    const tool = (parameters: Record<string, unknown>) =>
      fingerprintOf(request('a', { tools: [{ name: 'f', parameters }] }));
    expect(tool({ a: 1, b: [2] })).toBe(tool({ b: [2], a: 1 }));
    expect(tool({ a: 1, b: [2] })).not.toBe(tool({ a: 1, b: ['2'] }));
    const picture = (image: string) =>
      fingerprintOf(request('', { messages: [{ role: 'user', content: [{ type: 'image', data: image }] }] }));
    expect(picture('QQ==')).not.toBe(picture('Qg=='));
  });
});

describe('the record of a request', () => {
  it('is empty at first, then contains each death during it with its backend', () => {
    const { known } = setUp();
    expect(known.of(request('a'))).toMatchObject({ deaths: 0, killed: new Set() });
    known.blame(request('a'), 'mlx', 'unknown');
    expect(known.of(request('a', { client: 'two' }))).toMatchObject({ deaths: 1, killed: new Set(['mlx']) });
    known.blame(request('a'), 'ollama', 'out_of_memory');
    expect(known.of(request('a'))).toMatchObject({ deaths: 2, killed: new Set(['mlx', 'ollama']) });
    expect(known.of(request('b')).deaths).toBe(0);
  });

  it('is empty after a death from outside or at a start', () => {
    const { known } = setUp();
    for (const cause of EXIT_CAUSES) known.blame(request(cause), 'mlx', cause);
    const blamed = EXIT_CAUSES.filter((cause) => known.of(request(cause)).deaths > 0);
    expect(blamed).toEqual(['out_of_memory', 'gpu_hang', 'generation_dead', 'poison', 'stalled', 'unknown']);
  });

  it('is empty when the same request was answered since, also in the next run', async () => {
    const { known, files, clock } = setUp();
    known.blame(request('a'), 'mlx', 'unknown');
    await clock.advance(HOUR);
    known.blame(request('a'), 'ollama', 'stalled');
    known.acquit(request('b'), 'mlx');
    known.acquit(request('a', { client: 'two' }), 'ollama');
    expect(known.of(request('a'))).toMatchObject({ deaths: 1, killed: new Set(['mlx']) });
    known.acquit(request('a'), 'mlx');
    await known.settled();
    const { known: next } = setUp(files, clock);
    await next.load();
    expect(next.of(request('a')).deaths).toBe(0);
  });

  it('contains the backends that answered it since the last death, also in the next run', async () => {
    const { known, files, clock } = setUp();
    known.blame(request('a'), 'mlx', 'unknown');
    expect(known.of(request('a')).answeredBy).toEqual(new Set());
    known.acquit(request('a', { client: 'two' }), 'ollama');
    await known.settled();
    const { known: next } = setUp(files, clock);
    await next.load();
    expect(next.of(request('a'))).toEqual({
      deaths: 1,
      killed: new Set(['mlx']),
      answeredBy: new Set(['ollama']),
    });
    await clock.advance(HOUR);
    next.blame(request('a'), 'mlx', 'unknown');
    expect(next.of(request('a')).answeredBy).toEqual(new Set());
  });

  it('is read from the format of an earlier version, which recorded no answers', async () => {
    const { known, files, clock } = setUp();
    const death = { backend: 'mlx', cause: 'unknown', at: clock.wall().getTime() };
    files.files.set(PATH, JSON.stringify({ [fingerprintOf(request('a'))]: [death] }));
    await known.load();
    expect(known.of(request('a'))).toEqual({ deaths: 1, killed: new Set(['mlx']), answeredBy: new Set() });
  });

  it('expires after 24 hours, each death separately', async () => {
    const { known, clock } = setUp();
    known.blame(request('a'), 'mlx', 'unknown');
    await clock.advance(20 * HOUR);
    known.blame(request('a'), 'ollama', 'unknown');
    await clock.advance(5 * HOUR);
    expect(known.of(request('a'))).toMatchObject({ deaths: 1, killed: new Set(['ollama']) });
    await clock.advance(20 * HOUR);
    expect(known.of(request('a')).deaths).toBe(0);
  });

  it('survives the app, without a word of the text', async () => {
    const { known, files, clock } = setUp();
    known.blame(request('a secret prompt'), 'mlx', 'unknown');
    await known.settled();
    expect(files.files.get(PATH)).not.toMatch(/secret|prompt/);
    const { known: next } = setUp(files, clock);
    await next.load();
    expect(next.of(request('a secret prompt')).deaths).toBe(1);
  });

  it('keeps the thousand latest suspects', async () => {
    const { known, files } = setUp();
    for (let index = 0; index < 1001; index += 1) known.blame(request(`n${index}`), 'mlx', 'unknown');
    await known.settled();
    expect(Object.keys(JSON.parse(files.files.get(PATH) ?? ''))).toHaveLength(1000);
    expect([known.of(request('n0')).deaths, known.of(request('n1000')).deaths]).toEqual([0, 1]);
  });

  it.each(['', '{', '[1]', '{"x":1}', '{"00000000000000000000000000000000":[{"backend":"cpu"}]}'])(
    'is nothing when the file holds %j',
    async (text) => {
      const { known, files } = setUp();
      files.files.set(PATH, text);
      await known.load();
      expect(known.of(request('a')).deaths).toBe(0);
    },
  );

  it('applies to this run when the disk is full', async () => {
    const { known, files } = setUp();
    files.fail = new Error('full');
    known.blame(request('a'), 'mlx', 'unknown');
    await known.settled();
    expect(known.of(request('a')).deaths).toBe(1);
  });
});
