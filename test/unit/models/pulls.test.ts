import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { PullProgress } from '../../../src/main/backends/dialects/ollama/ollama-api';
import { type ModelSource, PullService } from '../../../src/main/models/pulls';
import { silentLogger } from '../../../src/main/ports/logger';
import { TandemError } from '../../../src/shared/errors';
import { FakeClock } from '../../support/fake-clock';

/** A source whose pull runs until the test ends it. */
function source() {
  const pulls: {
    name: string;
    tell: (progress: PullProgress) => void;
    end: () => void;
    fail: (error: unknown) => void;
  }[] = [];
  const model: ModelSource = {
    pull: (name, _options, onProgress, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        pulls.push({ name, tell: onProgress, end: resolve, fail: reject });
      }),
  };
  return { model, pulls };
}

function service() {
  const { model, pulls } = source();
  const clock = new FakeClock();
  const service = new PullService({ source: model, clock, logger: silentLogger });
  return { service, pulls, clock };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('pulls', () => {
  it('reports bytes and speed while it runs, and its end', async () => {
    const { service: pulls, pulls: upstream, clock } = service();
    const completed: string[] = [];
    pulls.onCompleted((name) => completed.push(name));
    pulls.start('qwen2.5:3b');
    upstream[0]?.tell({ step: 'pulling', completedBytes: 0, totalBytes: 1000 });
    await clock.advance(1000);
    upstream[0]?.tell({ step: 'pulling', completedBytes: 500, totalBytes: 1000 });
    expect(pulls.list()).toMatchObject([
      { name: 'qwen2.5:3b', state: 'running', completedBytes: 500, totalBytes: 1000, bytesPerSecond: 500 },
    ]);
    upstream[0]?.end();
    await settled();
    expect(pulls.list()).toMatchObject([{ state: 'done' }]);
    expect(completed).toEqual(['qwen2.5:3b']);
  });

  it('keeps a bounded number of speed samples for a server that reports every byte', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const { service: pulls, pulls: upstream, clock } = service();
    pulls.start('a:1b');
    const progress = { step: 'pulling', totalBytes: null };
    const tell = (from: number) => {
      for (let bytes = from; bytes < from + 500_000; bytes += 1)
        upstream[0]?.tell({ ...progress, completedBytes: bytes });
    };
    tell(0);
    collect();
    const before = process.memoryUsage().heapUsed;
    tell(500_000);
    collect();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(4_000_000);
    await clock.advance(1_000);
    upstream[0]?.tell({ ...progress, completedBytes: 3_000_000 });
    expect(pulls.list()).toMatchObject([{ bytesPerSecond: 3_000_000 }]);
  });

  it('cancels, and can be started again', async () => {
    const { service: pulls, pulls: upstream } = service();
    pulls.start('a:1b');
    pulls.cancel('a:1b');
    await settled();
    expect(pulls.list()).toMatchObject([{ state: 'cancelled', error: null }]);
    pulls.start('a:1b');
    expect(pulls.list()).toMatchObject([{ state: 'running' }]);
    expect(upstream).toHaveLength(2);
  });

  it('dismisses a failed one', async () => {
    const { service: pulls, pulls: upstream } = service();
    pulls.start('qwen2.5:3b');
    upstream[0]?.fail(new TandemError('disk_full', 'The disk is full.'));
    await settled();
    expect(pulls.list()).toHaveLength(1);
    pulls.cancel('qwen2.5:3b');
    expect(pulls.list()).toEqual([]);
  });

  it('keeps the reason of a failure', async () => {
    const { service: pulls, pulls: upstream } = service();
    pulls.start('a:1b');
    upstream[0]?.fail(new TandemError('disk_full', 'The disk is full. Free 2 GB and try again.'));
    await settled();
    expect(pulls.list()[0]?.error).toEqual({
      code: 'disk_full',
      message: 'The disk is full. Free 2 GB and try again.',
      details: {},
    });
  });

  it.each(['../x', 'a b', 'a;rm', '', '/etc', 'a/../b', '$(x)', 'a'.repeat(301)])(
    'refuses the name %j',
    (name) => {
      expect(() => service().service.start(name)).toThrow(
        expect.objectContaining({ code: 'bad_model_name' }),
      );
    },
  );

  it.each(['qwen2.5:3b', 'hf.co/org/name:Q4_K_M', '127.0.0.1:5000/library/x:latest'])(
    'accepts the name %s',
    (name) => {
      expect(() => service().service.start(name)).not.toThrow();
    },
  );
});
