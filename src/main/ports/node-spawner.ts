import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { ChildHandle, LaunchSpec, ProcessExit, Spawner } from './spawner';

/**
 * Starts child processes without a shell. Each leads its own process group, so that a Ctrl-C in our terminal does not
 * reach it and a kill reaches its children. Its stdin is a pipe that closes when we die.
 */
export const nodeSpawner: Spawner = {
  spawn(spec) {
    const log = spec.logFile === undefined ? null : openSync(spec.logFile, 'a', 0o600);
    try {
      return start(spec, log);
    } finally {
      if (log !== null) closeSync(log);
    }
  },
};

function start(spec: LaunchSpec, log: number | null): ChildHandle {
  const child = spawn(spec.command, [...spec.args], {
    env: { ...spec.env },
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    stdio: ['pipe', log ?? 'pipe', log ?? 'pipe'],
    detached: true,
    shell: false,
  });
  // A child that closes its end must not raise an error here.
  child.stdin?.on('error', () => {});
  if (spec.input !== undefined) child.stdin?.end(spec.input);
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, error });
    });
  });
  return {
    pid: child.pid,
    stdout: child.stdout,
    stderr: child.stderr,
    exited,
    kill: (signal) => signalGroup(child.pid, signal),
  };
}

/** Signals a process group by its leader's pid; ignores a group that is gone or not ours. */
export function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  // 0 and 1 would mean our own group and every process.
  if (pid === undefined || !Number.isSafeInteger(pid) || pid <= 1) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
