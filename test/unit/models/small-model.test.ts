import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { SmallModel } from '../../../src/main/models/small-model';
import { silentLogger } from '../../../src/main/ports/logger';
import { removeSmallModel } from '../../../src/main/setup/runtimes';
import { tempDir } from '../../support/temp-dir';

/** Has the small model's name, but was not created by the set-up. */
const FOREIGN = 'smollm2-135m-instruct-2';
const FOLDERS = ['smollm2-135m-instruct-0.1.2', '.smollm2-135m-instruct.download', 'mlx-0.32.2', FOREIGN];

let runtimeDir: string;
let wanted: boolean;
let calls: string[];
let usedByOthers: string[];

beforeEach(() => {
  runtimeDir = tempDir();
  wanted = true;
  calls = [];
  usedByOthers = [];
  for (const name of FOLDERS) {
    mkdirSync(join(runtimeDir, name));
    if (name !== FOREIGN) writeFileSync(join(runtimeDir, name, 'tandem-runtime.json'), '{}');
  }
});

const note =
  (call: string) =>
  async (...args: unknown[]) =>
    void calls.push([call, ...args.flat()].join(' '));

const write = async (value: boolean) => {
  wanted = value;
};
const smallModel = (setWanted = write) =>
  new SmallModel({
    removeFiles: async () => {
      await removeSmallModel(runtimeDir, usedByOthers);
      calls.push('files');
    },
    wanted: () => wanted,
    setWanted,
    setup: { run: note('run'), cancel: note('cancel'), forget: (part) => void calls.push(`forget ${part}`) },
    installer: { ensure: note('ensure') },
    async whileMlxIsWithout(work) {
      calls.push('mlx out');
      await work();
      calls.push('mlx back');
    },
    logger: silentLogger,
  });
const there = () => FOLDERS.map((name) => existsSync(join(runtimeDir, name)));

describe('the small model', () => {
  it('is removed for good: its download ends, then it is deleted from Ollama and the disk', async () => {
    await smallModel().remove();
    expect(wanted).toBe(false);
    expect(calls).toEqual(['cancel model', 'forget model', 'ensure', 'mlx out', 'files', 'mlx back']);
    expect(there()).toEqual([false, false, true, true]);
  });

  it('stays on disk while another instance of Tandem uses it', async () => {
    usedByOthers = [join(runtimeDir, 'smollm2-135m-instruct-0.1.2')];
    await smallModel().remove();
    expect(there()).toEqual([true, false, true, true]);
  });

  it('stays where the setting cannot be written', async () => {
    const readOnly = async () => {
      throw new Error('read-only');
    };
    await expect(smallModel(readOnly).remove()).rejects.toThrow('read-only');
    expect(there()).toEqual([true, true, true, true]);
  });

  it('is downloaded when it is enabled again, after its removal has ended', async () => {
    const small = smallModel();
    const removed = small.remove();
    await removed;
    wanted = true;
    small.follow();
    small.follow();
    await Promise.resolve();
    expect(calls.filter((call) => call.startsWith('run'))).toEqual(['run model']);
  });

  it('does nothing while the setting stays as it is', () => {
    smallModel().follow();
    expect(calls).toEqual([]);
  });
});
