import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ExitSignals } from '../../../resources/setup/lib/exit-signals.js';
import { runHost } from '../../../resources/setup/lib/host-process.js';
import { tryLock } from '../../../resources/setup/lib/lock.js';
import { projectDir } from '../../../resources/setup/lib/manifest.js';
import { startOptions } from '../../../resources/setup/lib/options.js';
import { processStart } from '../../../resources/setup/lib/process-identity.js';
import { PATIENCE_MS } from '../../support/app';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tandem-processes-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const waitFor = <T>(look: () => T) => vi.waitFor(look, { timeout: PATIENCE_MS, interval: 20 });

describe('npm start and the program', () => {
  /** A program that records on disk that it is up and which signals it received. */
  const program = (log: string, onSignal: string) => `
    import { appendFileSync } from 'node:fs';
    const tell = (text) => appendFileSync(${JSON.stringify(log)}, text + '\\n');
    for (const name of ['SIGTERM', 'SIGINT']) process.on(name, () => { tell(name); ${onSignal} });
    tell(process.argv.slice(2).join(' '));
    setInterval(() => {}, 1000);
  `;

  async function startProgram(onSignal: string) {
    mkdirSync(join(root, 'out', 'main'), { recursive: true });
    const log = join(root, 'log');
    writeFileSync(join(root, 'package.json'), '{"type":"module"}');
    writeFileSync(join(root, 'out', 'main', 'headless.js'), program(log, onSignal));
    const own = Object.assign(new EventEmitter(), { env: {}, ppid: 1 });
    const signals = new ExitSignals({ process: own as unknown as NodeJS.Process });
    const code = runHost({
      host: { host: 'headless' },
      node: process.execPath,
      root,
      place: { env: process.env, platform: process.platform, home: root },
      options: startOptions(['--json', '--no-open']),
      signals,
    });
    // The file exists a moment before its first line.
    await waitFor(() => expect(existsSync(log) && readFileSync(log, 'utf8')).toContain('\n'));
    return { own, code, log: () => readFileSync(log, 'utf8').trim().split('\n') };
  }

  it.each([
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ])('forwards %s once, waits for the end and exits with %i', async (name, expected) => {
    const { own, code, log } = await startProgram('setTimeout(() => process.exit(0), 50)');
    expect(log()).toEqual(['--json --no-open']);
    own.emit(name);
    // The same Ctrl-C arrives from the terminal and from npm.
    own.emit(name);
    expect(await code).toBe(expected);
    expect(log()).toEqual(['--json --no-open', name]);
  });

  it('exits with 1 when the program reports that it could not end well', async () => {
    const { own, code } = await startProgram('process.exit(1)');
    own.emit('SIGTERM');
    expect(await code).toBe(1);
  });
});

describe('the runtime set-up', () => {
  it('ends when its parent is killed', async () => {
    const lock = tryLock(join(root, '.mlx.lock'));
    const script = join(projectDir, 'resources', 'setup', 'runtimes.js');
    const start = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, [${JSON.stringify(script)}, '--only', 'mlx', '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
      child.stdout.pipe(process.stdout);
      console.log(JSON.stringify({ pid: child.pid }));
    `;
    const env = { PATH: process.env.PATH, TANDEM_RUNTIME_DIR: root };
    const parent = spawn(process.execPath, ['-e', start], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    parent.stdout.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
    await waitFor(() => expect(output).toContain('Waiting: another Tandem'));
    const pid = Number(/"pid":(\d+)/.exec(output)?.[1]);
    expect(processStart(pid)).toBeDefined();
    parent.kill('SIGKILL');
    await waitFor(() => expect(processStart(pid)).toBeUndefined());
    if (lock.taken) lock.release();
  });
});
