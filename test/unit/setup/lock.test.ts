import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tryLock } from '../../../resources/setup/lib/lock.js';
import { processStart } from '../../../resources/setup/lib/process-identity.js';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-lock-'));
  file = join(folder, '.mlx.lock');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A table of running processes: pid to start time. */
const startOf = (table: Record<number, string>) => (pid: number) => table[pid];

describe('the lock against a second installer', () => {
  it('is acquired once, and free again after its release', () => {
    const running = startOf({ 10: 'a', 11: 'b' });
    const first = tryLock(file, { pid: 10, startOf: running });
    expect(first.taken).toBe(true);
    expect(tryLock(file, { pid: 11, startOf: running })).toEqual({ taken: false, holder: 10 });
    if (first.taken) first.release();
    expect(existsSync(file)).toBe(false);
    expect(tryLock(file, { pid: 11, startOf: running }).taken).toBe(true);
  });

  it('is broken when its owner has exited', () => {
    tryLock(file, { pid: 10, startOf: startOf({ 10: 'a' }) });
    expect(tryLock(file, { pid: 11, startOf: startOf({ 11: 'b' }) }).taken).toBe(true);
  });

  it('is broken when another process now has the pid of its owner', () => {
    tryLock(file, { pid: 10, startOf: startOf({ 10: 'a' }) });
    expect(tryLock(file, { pid: 11, startOf: startOf({ 10: 'later', 11: 'b' }) }).taken).toBe(true);
  });

  it('is broken when it names no owner', () => {
    writeFileSync(file, '{"pid":');
    expect(tryLock(file, { pid: 11, startOf: startOf({ 11: 'b' }) }).taken).toBe(true);
  });

  it('ends the work that a dead owner left running, but no later process with that pid', () => {
    const takeOver = (table: Record<number, string>) => {
      rmSync(file, { force: true });
      const first = tryLock(file, { pid: 10, startOf: startOf({ 10: 'a', 20: 'w' }) });
      if (first.taken) first.noteChild(20);
      const ended: number[] = [];
      tryLock(file, { pid: 11, startOf: startOf(table), endGroup: (pid: number) => ended.push(pid) });
      return ended;
    };
    expect(takeOver({ 11: 'b', 20: 'w' })).toEqual([20]);
    expect(takeOver({ 11: 'b', 20: 'later' })).toEqual([]);
    expect(takeOver({ 11: 'b' })).toEqual([]);
  });
});

describe('the start time of a process', () => {
  it('is known for a running process and unknown for a missing one', () => {
    expect(processStart(process.pid)).toBe(processStart(process.pid));
    expect(processStart(process.pid)).toBeDefined();
    expect(processStart(2 ** 22 + 1)).toBeUndefined();
  });
});
