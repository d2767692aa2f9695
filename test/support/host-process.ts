import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { cleanEnvironment, PATIENCE_MS } from './app';

const ROOT = resolve(import.meta.dirname, '..', '..');

export interface HostProcess {
  child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves when stdout or stderr contains this text; rejects when the process exits first, or on timeout. */
  printed(text: string): Promise<void>;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; ms: number }>;
}

/** Starts the built headless host, for tests of starts that do not reach `ready`, and of its exit. */
export function spawnHost(options: {
  dataDir: string;
  env?: Record<string, string>;
  args?: string[];
  /** Whether it opens a browser. */
  opens?: boolean;
}): HostProcess {
  const closed = options.opens ? [] : ['--no-open'];
  const args = [join(ROOT, 'out/main/headless.js'), ...closed, ...(options.args ?? [])];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: cleanEnvironment(options.dataDir, options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const started = performance.now();
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = new Promise<Awaited<HostProcess['ended']>>((settle) =>
    child.once('close', (code, signal) => settle({ code, signal, ms: performance.now() - started })),
  );
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    printed: (text) =>
      new Promise((settle, reject) => {
        const check = () => {
          if (!`${out}${err}`.includes(text)) return;
          clearTimeout(timer);
          settle();
        };
        const fail = (why: string) => reject(new Error(`${why} before "${text}"\n${out}${err}`));
        const timer = setTimeout(() => fail(`${PATIENCE_MS} ms passed`), PATIENCE_MS);
        child.stdout.on('data', check);
        child.stderr.on('data', check);
        void ended.then(() => fail('it ended'));
        check();
      }),
    ended,
  };
}
