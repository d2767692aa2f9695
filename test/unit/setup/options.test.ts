import { describe, expect, it } from 'vitest';
import { runtimeOptions, startOptions, UsageError } from '../../../resources/setup/lib/options.js';

describe('options of npm start', () => {
  it('forwards what the program itself needs, in the given order', () => {
    const options = startOptions(['--headless', '--no-open', '--json', '--wait', '--no-system-packages']);
    expect(options).toMatchObject({ action: 'run', headless: true, json: true, systemPackages: false });
    expect(options.hostArgs).toEqual(['--no-open', '--json', '--wait', '--no-system-packages']);
  });

  it('makes a data folder absolute, in both spellings', () => {
    expect(startOptions(['--data-dir', 'mine'], '/home/me').hostArgs).toEqual([
      '--data-dir',
      '/home/me/mine',
    ]);
    expect(startOptions(['--data-dir=/data'], '/home/me').dataDir).toBe('/data');
  });

  it.each([
    [['--check'], 'check'],
    [['--uninstall', '--yes'], 'uninstall'],
    [['--check', '--help'], 'help'],
    [[], 'run'],
  ])('%j requests %s', (args, action) => {
    expect(startOptions(args).action).toBe(action);
  });

  it.each([
    [['--bogus']],
    [['word']],
    [['--data-dir']],
    [['--data-dir', '--json']],
    [['--data-dir=']],
    [['--headless=yes']],
    [['--yes']],
    [['--check', '--uninstall']],
  ])('%j is wrong usage', (args) => {
    expect(() => startOptions(args)).toThrow(UsageError);
  });
});

describe('options of the runtime set-up', () => {
  it('parse the part and the format of its output', () => {
    expect(runtimeOptions(['--only', 'mlx', '--json'])).toEqual({
      only: 'mlx',
      json: true,
      systemPackages: true,
    });
  });

  it.each([[['--only']], [['--only', 'cuda']], [['--fast']]])('%j is wrong usage', (args) => {
    expect(() => runtimeOptions(args)).toThrow(UsageError);
  });
});
