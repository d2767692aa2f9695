import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { DownloadFile } from '../../../../src/main/models/downloads/download-file';
import { DownloadService } from '../../../../src/main/models/downloads/download-service';
import { checkOllamaName } from '../../../../src/main/models/downloads/ollama-name';
import type {
  DownloadProgress,
  DownloadSource,
  Readiness,
} from '../../../../src/main/models/downloads/source';
import { silentLogger } from '../../../../src/main/ports/logger';
import { TandemError } from '../../../../src/shared/errors';
import { FakeClock, settle } from '../../../support/fake-clock';
import { MemoryFiles } from '../../../support/memory-files';

/** A source whose pulls run until the test ends them. */
class ScriptedSource implements DownloadSource {
  state: Readiness = 'ready';
  readonly pulls: {
    name: string;
    tell: (progress: DownloadProgress) => void;
    end: () => void;
    fail: (error: unknown) => void;
    rename: (name: string) => void;
  }[] = [];
  readonly discarded: string[] = [];
  /** Holds each `discard` until it resolves. */
  discarding: Promise<void> = Promise.resolve();
  check = checkOllamaName;
  readiness = () => this.state;
  lookUp = () => Promise.reject(new Error('not used'));

  pull(...[name, { onName = () => {} }, tell, signal]: Parameters<DownloadSource['pull']>) {
    return new Promise<void>((end, fail) => {
      signal.addEventListener('abort', () => fail(signal.reason));
      this.pulls.push({ name, tell, end, fail, rename: onName });
    });
  }

  async discard(name: string): Promise<void> {
    this.discarded.push(name);
    await this.discarding;
  }
}

const PATH = 'downloads.json';

function start(files = new MemoryFiles(), backends = ['ollama', 'mlx']) {
  const installed = new Set<string>();
  const ollama = new ScriptedSource();
  const mlx = new ScriptedSource();
  const clock = new FakeClock();
  const logger = silentLogger;
  const service = new DownloadService({
    sources: new Map([
      ...[['ollama', ollama] as const, ['mlx', mlx] as const].filter(([id]) => backends.includes(id)),
    ]),
    isInstalled: ({ name }) => installed.has(name),
    file: new DownloadFile({ files, path: PATH, logger }),
    clock,
    logger,
  });
  const states = () => service.list().map(({ name, state }) => `${name} ${state}`);
  return { service, ollama, mlx, clock, files, installed, states };
}

const A = { backend: 'ollama', name: 'a:1b' };
const B = { backend: 'ollama', name: 'b:1b' };
const M = { backend: 'mlx', name: 'org/m' };
const FULL = new TandemError('disk_full', 'The disk is full. Free 2 GB and try again.');

describe('a download', () => {
  it('reports bytes and speed while it runs, and its end', async () => {
    const { service, ollama, clock } = start();
    const completed: unknown[] = [];
    service.onCompleted((model) => completed.push(model));
    service.start(A);
    ollama.pulls[0]?.tell({ step: 'pulling', completedBytes: 0, totalBytes: 1000 });
    await clock.advance(1000);
    ollama.pulls[0]?.tell({ step: 'pulling', completedBytes: 500, totalBytes: 1000 });
    expect(service.list()).toMatchObject([
      { ...A, state: 'running', completedBytes: 500, totalBytes: 1000, bytesPerSecond: 500 },
    ]);
    ollama.pulls[0]?.end();
    await settle();
    expect(service.list()).toMatchObject([{ ...A, state: 'done', bytesPerSecond: null }]);
    expect(completed).toEqual([{ ...A, wasInstalled: false }]);
  });

  it('keeps a bounded number of speed samples for a source that reports every byte', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const { service, ollama, clock } = start();
    service.start(A);
    const tell = (from: number) => {
      for (let bytes = from; bytes < from + 500_000; bytes += 1)
        ollama.pulls[0]?.tell({ step: 'pulling', totalBytes: null, completedBytes: bytes });
    };
    tell(0);
    collect();
    const before = process.memoryUsage().heapUsed;
    tell(500_000);
    collect();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(4_000_000);
    await clock.advance(1_000);
    ollama.pulls[0]?.tell({ step: 'pulling', totalBytes: null, completedBytes: 3_000_000 });
    expect(service.list()).toMatchObject([{ bytesPerSecond: 3_000_000 }]);
  });

  it('reports the last figures before its source goes quiet, four times a second at most', async () => {
    const { service, ollama, clock } = start();
    service.start(A);
    let reports = 0;
    service.onChange(() => {
      reports += 1;
    });
    for (let bytes = 1; bytes <= 1000; bytes += 1)
      ollama.pulls[0]?.tell({ step: 'pulling', completedBytes: bytes, totalBytes: 1000 });
    await clock.advance(250);
    expect(reports).toBe(1);
    expect(service.list()[0]?.completedBytes).toBe(1000);
    expect(clock.pending).toBe(0);
  });

  it('says why it failed, and can be tried again or dismissed', async () => {
    const { service, ollama } = start();
    service.start(A);
    ollama.pulls[0]?.fail(FULL);
    await settle();
    expect(service.list()).toMatchObject([
      { state: 'failed', error: { code: 'disk_full', message: FULL.message, details: {} } },
    ]);
    service.start(A);
    expect(service.list()).toMatchObject([{ state: 'running', error: null }]);
    service.dismiss(A);
    expect(service.list()).toHaveLength(1);
    ollama.pulls[1]?.fail(FULL);
    await settle();
    service.dismiss(A);
    expect(service.list()).toEqual([]);
    expect(ollama.discarded).toEqual([]);
  });

  it('runs alone at its source; those of other sources run meanwhile', async () => {
    const { service, ollama, states } = start();
    for (const model of [A, B, M]) service.start(model);
    service.start(A);
    expect(states()).toEqual(['a:1b running', 'b:1b waiting', 'org/m running']);
    ollama.pulls[0]?.end();
    await settle();
    expect(states()).toEqual(['a:1b done', 'b:1b running', 'org/m running']);
    expect(ollama.pulls.map(({ name }) => name)).toEqual(['a:1b', 'b:1b']);
  });

  it('waits for a source that is being set up, and fails at once at one that is down', async () => {
    const { service, ollama, mlx, states } = start();
    mlx.state = 'coming';
    ollama.state = 'down';
    for (const model of [A, M]) service.start(model);
    service.wake();
    expect(states()).toEqual(['a:1b running', 'org/m waiting']);
    mlx.state = 'ready';
    service.wake();
    expect(states()).toEqual(['a:1b running', 'org/m running']);
  });

  it.each(['../x', 'a b', 'a;rm', '', '/etc', 'a/../b', '$(x)', 'a'.repeat(301)])(
    'is refused for the name %j',
    (name) => {
      const { service } = start();
      const begin = () => service.start({ backend: 'ollama', name });
      expect(begin).toThrow(expect.objectContaining({ code: 'bad_model_name' }));
      expect(service.list()).toEqual([]);
    },
  );

  it.each(['qwen2.5:3b', 'hf.co/org/name:Q4_K_M', '127.0.0.1:5000/library/x:latest'])(
    'is accepted for the name %s',
    (name) => {
      expect(() => start().service.start({ backend: 'ollama', name })).not.toThrow();
    },
  );

  it('that waited for its source is tried, and so fails with the reason, when the source will not come', async () => {
    const { service, ollama, states } = start();
    ollama.state = 'coming';
    service.start(A);
    ollama.state = 'down';
    service.wake();
    ollama.pulls[0]?.fail(new TandemError('backend_absent', 'Ollama is not installed.'));
    await settle();
    expect(states()).toEqual(['a:1b failed']);
  });

  it('says whether its model was there when it was first started, also after a restart of the app', async () => {
    const first = start();
    first.installed.add(B.name);
    for (const model of [A, B]) first.service.start(model);
    first.ollama.pulls[0]?.fail(FULL);
    await settle();
    // A scan found it already.
    first.installed.add(A.name);
    first.service.start(A);
    await first.service.stop();
    const { service, ollama, files, installed } = start(first.files);
    for (const { name } of [A, B]) installed.add(name);
    const completed: unknown[] = [];
    service.onCompleted((model) => completed.push(model));
    await service.load();
    for (const index of [0, 1]) {
      ollama.pulls[index]?.end();
      await settle();
    }
    expect(completed).toEqual([
      { ...A, wasInstalled: false },
      { ...B, wasInstalled: true },
    ]);
    service.start(A);
    await settle();
    expect(files.files.get(PATH)).toContain('"wasInstalled":true');
  });

  it('is refused for a server without a source, and unknown ones cannot be paused', () => {
    const { service } = start();
    expect(() => service.start({ backend: 'studio', name: 'a' })).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
    expect(() => service.pause(A)).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  it('is listed with at most 99 others; the oldest ended ones leave', async () => {
    const { service, ollama } = start();
    for (let index = 0; index < 100; index += 1) service.start({ backend: 'ollama', name: `m${index}` });
    expect(() => service.start(A)).toThrow(expect.objectContaining({ code: 'queue_full' }));
    ollama.pulls[0]?.end();
    await settle();
    service.start(A);
    expect(service.list()).toHaveLength(100);
    expect(service.list()[0]?.name).toBe('m1');
  });
});

describe('pause and cancel', () => {
  it('pauses a running and a waiting one; both continue when started', async () => {
    const { service, ollama, states } = start();
    for (const model of [A, B]) service.start(model);
    ollama.pulls[0]?.tell({ step: 'pulling', completedBytes: 500, totalBytes: 1000 });
    for (const model of [B, A]) service.pause(model);
    await settle();
    expect(states()).toEqual(['a:1b paused', 'b:1b paused']);
    expect(service.list()[0]).toMatchObject({ completedBytes: 500, bytesPerSecond: null, error: null });
    service.start(A);
    expect(states()).toEqual(['a:1b running', 'b:1b paused']);
    expect(ollama.pulls).toHaveLength(2);
  });

  it('continues one that was started again before its pause took effect, but never twice at once', async () => {
    const { service, ollama, states } = start();
    service.start(A);
    service.pause(A);
    service.start(A);
    expect(ollama.pulls).toHaveLength(1);
    await settle();
    expect(states()).toEqual(['a:1b running']);
    expect(ollama.pulls).toHaveLength(2);
  });

  it('removes what came of a cancelled one, whether it runs, waits, is paused or has failed', async () => {
    const { service, ollama } = start();
    const names = ['running', 'waiting', 'paused'];
    for (const name of names) service.start({ backend: 'ollama', name });
    service.pause({ backend: 'ollama', name: 'paused' });
    for (const name of names) service.cancel({ backend: 'ollama', name });
    await settle();
    expect(service.list()).toEqual([]);
    expect([...ollama.discarded].sort()).toEqual([...names].sort());
    service.start(A);
    ollama.pulls.at(-1)?.fail(FULL);
    await settle();
    service.cancel(A);
    await settle();
    expect(ollama.discarded).toContain('a:1b');
  });

  it('keeps the source busy until the files are removed; one started meanwhile begins again after that', async () => {
    const { service, ollama, states } = start();
    const { promise, resolve } = Promise.withResolvers<void>();
    ollama.discarding = promise;
    service.start(A);
    service.cancel(A);
    await settle();
    expect(service.list()).toMatchObject([{ step: 'removing' }]);
    service.start(A);
    service.start(B);
    expect(ollama.pulls).toHaveLength(1);
    resolve();
    await settle();
    expect(states()).toEqual(['a:1b running', 'b:1b waiting']);
  });

  it('concern the name that the source itself gives a model', async () => {
    const { service, mlx, states } = start();
    const old = { backend: 'mlx', name: 'Org/old' };
    service.start(M);
    service.pause(M);
    await settle();
    service.start(old);
    service.start(A);
    const completed: unknown[] = [];
    service.onCompleted((model) => completed.push(model));
    mlx.pulls[1]?.rename(M.name);
    expect(states()).toEqual(['org/m running', 'a:1b running']);
    expect(() => service.cancel(old)).toThrow(expect.objectContaining({ code: 'not_found' }));
    service.cancel(M);
    await settle();
    expect(mlx.discarded).toEqual([M.name]);
    service.start(old);
    mlx.pulls[2]?.rename(M.name);
    mlx.pulls[2]?.end();
    await settle();
    expect(completed).toEqual([{ ...M, wasInstalled: false }]);
  });

  it('leaves the files of a complete one alone', async () => {
    const { service, ollama } = start();
    service.start(A);
    ollama.pulls[0]?.end();
    await settle();
    service.cancel(A);
    expect(service.list()).toEqual([]);
    expect(ollama.discarded).toEqual([]);
  });
});

describe('the deletion of a model', () => {
  it('removes its ended download from the list, and first the files of an unfinished one', async () => {
    const { service, ollama } = start();
    service.start(A);
    ollama.pulls[0]?.end();
    await settle();
    await service.clear(A);
    expect(service.list()).toEqual([]);
    expect(ollama.discarded).toEqual([]);
    service.start({ backend: 'ollama', name: 'b' });
    service.pause({ backend: 'ollama', name: 'b' });
    await settle();
    const { promise, resolve } = Promise.withResolvers<void>();
    ollama.discarding = promise;
    const cleared = service.clear({ backend: 'ollama', name: 'b:latest' });
    expect(service.list()).toMatchObject([{ step: 'removing' }]);
    resolve();
    await cleared;
    expect(service.list()).toEqual([]);
    expect(ollama.discarded).toEqual(['b']);
  });

  it('waits for the user while it is being downloaded or about to be', async () => {
    const { service, states } = start();
    for (const model of [A, B]) service.start(model);
    for (const model of [A, B]) await expect(service.clear(model)).rejects.toMatchObject({ code: 'busy' });
    expect(states()).toEqual(['a:1b running', 'b:1b waiting']);
    await service.clear(M);
  });
});

describe('after a restart of the app', () => {
  it('running and waiting ones continue once their source is ready, paused and failed ones stay', async () => {
    const first = start();
    for (const name of ['running', 'waiting', 'paused']) first.service.start({ backend: 'ollama', name });
    first.service.pause({ backend: 'ollama', name: 'paused' });
    first.service.start(M, true);
    first.mlx.pulls[0]?.fail(FULL);
    await settle();
    first.ollama.pulls[0]?.tell({ step: 'pulling', completedBytes: 500, totalBytes: 1000 });
    await first.service.stop();

    const { service, ollama, states } = start(first.files);
    ollama.state = 'coming';
    await service.load();
    expect(states()).toEqual(['running waiting', 'waiting waiting', 'paused paused', 'org/m failed']);
    expect(service.list()[3]?.error).toMatchObject({ code: 'disk_full', message: FULL.message });
    service.wake();
    expect(ollama.pulls).toEqual([]);
    ollama.state = 'ready';
    service.wake();
    expect(states()).toEqual(['running running', 'waiting waiting', 'paused paused', 'org/m failed']);
  });

  it('a cancelled one whose files were not removed yet is removed, not continued', async () => {
    const first = start();
    first.ollama.discarding = new Promise(() => {});
    first.service.start(A);
    first.service.start(B);
    first.service.cancel(A);
    await settle();
    expect(JSON.parse(first.files.files.get(PATH) ?? '')).toMatchObject([
      { name: A.name, state: 'removing' },
      { name: B.name, state: 'waiting' },
    ]);
    const { service, ollama, states } = start(first.files);
    ollama.state = 'coming';
    await service.load();
    expect(service.list()).toMatchObject([{ ...A, step: 'removing' }, B]);
    service.pause(A);
    ollama.state = 'ready';
    service.wake();
    await settle();
    expect(ollama.discarded).toEqual([A.name]);
    expect(states()).toEqual(['b:1b running']);
  });

  it('those of a server that has no source now are kept for a later run', async () => {
    const first = start();
    for (const model of [A, M]) first.service.start(model);
    await first.service.stop();
    const second = start(first.files, ['ollama']);
    await second.service.load();
    expect(second.states()).toEqual(['a:1b running']);
    await second.service.stop();
    const { service, states } = start(first.files);
    await service.load();
    expect(states()).toEqual(['a:1b running', 'org/m running']);
  });

  it('a complete one is forgotten', async () => {
    const { service, ollama, files } = start();
    service.start(A);
    ollama.pulls[0]?.end();
    await settle();
    await service.stop();
    expect(files.files.get(PATH)).toBe('[]');
  });

  it('a damaged file counts as empty, a damaged entry is left out', async () => {
    for (const [text, names] of [
      ['{{{', []],
      ['{}', []],
      [
        `[1,{"backend":"ollama","name":"a","state":"paused","insecure":false,"completedBytes":1,"totalBytes":null,"error":null}]`,
        ['a'],
      ],
    ] as const) {
      const files = new MemoryFiles();
      files.files.set(PATH, text);
      const { service } = start(files);
      await service.load();
      expect(service.list().map(({ name }) => name)).toEqual(names);
    }
  });

  it('downloads go on when the list cannot be written', async () => {
    const { service, ollama, files, states } = start();
    files.fail = new Error('read-only');
    service.start(A);
    ollama.pulls[0]?.end();
    await settle();
    expect(states()).toEqual(['a:1b done']);
  });
});
