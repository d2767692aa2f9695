import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Pids of all living descendants of a process (`ps` exists on Linux and macOS). */
export async function processesOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-e', '-o', 'pid=,ppid=']);
  const children = new Map<number, number[]>();
  for (const line of stdout.trim().split('\n')) {
    const [child, parent] = line.trim().split(/\s+/).map(Number);
    if (child === undefined || parent === undefined) continue;
    children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const found: number[] = [];
  const queue = [pid];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const child of children.get(next) ?? []) {
      found.push(child);
      queue.push(child);
    }
  }
  return found;
}

/** The processes that are still alive, as `pid ppid state command`; a zombie counts as ended. */
export async function livingOf(pids: readonly number[]): Promise<string[]> {
  if (pids.length === 0) return [];
  const args = ['-o', 'pid=,ppid=,stat=,args=', '-p', pids.join(',')];
  // `ps` fails when none of them exists.
  const { stdout } = await promisify(execFile)('ps', args).catch(() => ({ stdout: '' }));
  return stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^\d+\s+\d+\s+Z/.test(line));
}

/** Sends a signal to each of these processes and skips those that have ended; true when none had. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): boolean {
  let all = true;
  for (const pid of pids) {
    // 0 and negative numbers address whole groups, including the tests' own.
    if (pid <= 0) throw new RangeError(`no process: ${pid}`);
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      all = false;
    }
  }
  return all;
}
