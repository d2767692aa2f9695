import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type FileStore, nodeFileStore } from '../../../src/main/ports/file-store';
import { silentLogger } from '../../../src/main/ports/logger';
import { MeasuredTimes } from '../../../src/main/times/measured-times';
import { TimesFile } from '../../../src/main/times/times-file';
import { FakeClock } from '../../support/fake-clock';
import { tempDir } from '../../support/temp-dir';

const QWEN = { backend: 'ollama', name: 'qwen2.5:3b' } as const;

let clock: FakeClock;
let dir: string;
let path: string;

beforeEach(() => {
  clock = new FakeClock();
  dir = tempDir();
  path = join(dir, 'model-times.json');
});

/** A run of the app with its own measurements over the one file. */
async function run(files: FileStore = nodeFileStore) {
  const measured = new MeasuredTimes();
  const file = new TimesFile({ path, measured, files, clock, logger: silentLogger });
  await file.open();
  return { measured, file };
}

describe('measured times on disk', () => {
  it('are restored after a restart, completely', async () => {
    const first = await run();
    first.measured.learn(
      QWEN,
      {
        reason: 'stop',
        promptTokens: 100,
        completionTokens: 100,
        loadMs: 4000,
        promptMs: 300,
      },
      2000,
    );
    first.measured.learnStep(QWEN, 1500);
    await first.file.close();
    const { measured, file } = await run();
    expect(measured.of(QWEN)).toEqual({ load: 4, per1k: 20, prefillPer1k: 3 });
    expect(measured.slowestStepMs(QWEN)).toBe(1500);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await file.close();
    expect(clock.pending).toBe(0);
  });

  it('are written once for many changes, five seconds after the first', async () => {
    const texts: string[] = [];
    const files = { ...nodeFileStore, replace: async (_: string, text: string) => void texts.push(text) };
    const { measured, file } = await run(files);
    for (let count = 0; count < 20; count += 1) {
      measured.learnLoad(QWEN, 2);
      await clock.advance(200);
    }
    expect(texts).toHaveLength(0);
    await clock.advance(1000);
    expect(texts).toHaveLength(1);
    await clock.advance(60_000);
    await file.close();
    expect(texts).toHaveLength(1);
  });

  it.each(['{"version":1,"models":{"a":', '{"version":1,"models":{"a":{"load":[-1]}}}', '[]'])(
    'set a corrupt file aside and start over: %s',
    async (text) => {
      writeFileSync(path, text);
      const { measured, file } = await run();
      expect(measured.of(QWEN)).toBeNull();
      measured.learnLoad(QWEN, 2);
      await file.close();
      const aside = readdirSync(dir).find((name) => name.startsWith('model-times.corrupt-'));
      expect(readFileSync(join(dir, aside ?? ''), 'utf8')).toBe(text);
      expect((await run()).measured.of(QWEN)?.load).toBe(2);
    },
  );

  it('leave the file of a newer version unchanged', async () => {
    const text = '{"version":2,"models":{}}';
    writeFileSync(path, text);
    const { measured, file } = await run();
    measured.learnLoad(QWEN, 2);
    await file.close();
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('cause no error when the disk is full, and are written once it is not', async () => {
    let full = true;
    const files: FileStore = {
      ...nodeFileStore,
      replace: (to, text) =>
        full ? Promise.reject(new Error('no space left')) : nodeFileStore.replace(to, text),
    };
    const warn = vi.fn();
    const measured = new MeasuredTimes();
    const logger = { ...silentLogger, warn, child: () => ({ ...silentLogger, warn }) };
    const file = new TimesFile({ path, measured, files, clock, logger });
    await file.open();
    for (let count = 0; count < 3; count += 1) {
      measured.learnLoad(QWEN, 2);
      await clock.advance(5000);
    }
    expect(warn).toHaveBeenCalledTimes(1);
    full = false;
    measured.learnLoad(QWEN, 2);
    await file.close();
    expect((await run()).measured.of(QWEN)?.load).toBe(2);
  });
});
