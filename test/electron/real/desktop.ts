import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { until } from '../../support/app';

/** A display without a screen and a small window manager on it. */
export interface Desktop {
  /** Value of `DISPLAY`. */
  display: string;
  stop(): Promise<void>;
}

/**
 * Starts Xvfb on a free display, and openbox. Rejects if either cannot run.
 * @param folder for the files of the window manager
 */
export async function startDesktop(folder: string): Promise<Desktop> {
  const screen = ['-screen', '0', '1280x800x24', '-nolisten', 'tcp', '-displayfd', '3'];
  const server = spawn('Xvfb', screen, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  const started: ChildProcess[] = [server];
  const stop = async () => {
    for (const child of started.reverse()) await end(child);
  };
  try {
    const display = `:${await firstLine(server)}`;
    const mark = join(folder, 'window-manager-runs');
    const manager = spawn('openbox', ['--sm-disable', '--startup', `touch ${mark}`], {
      env: { PATH: process.env.PATH, HOME: folder, DISPLAY: display, DBUS_SESSION_BUS_ADDRESS: 'disabled:' },
      stdio: 'ignore',
    });
    started.push(manager);
    let failure: Error | null = null;
    manager.once('error', (error) => {
      failure = error;
    });
    await until(async () => {
      if (failure) throw failure;
      if (manager.exitCode !== null) throw new Error(`openbox ended with ${manager.exitCode}`);
      return existsSync(mark);
    }, 'openbox runs');
    return { display, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The number of the display, which the server writes when it is ready. */
function firstLine(server: ChildProcess): Promise<string> {
  return new Promise((settle, reject) => {
    let log = '';
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}: ${log}`)));
    createInterface({ input: server.stdio[3] as Readable }).once('line', settle);
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
