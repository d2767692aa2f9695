import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { signalGroup } from './node-spawner';
import type { ProcessTable } from './spawner';
import { nextTurn } from './turns';

const execute = promisify(execFile);

/** A snapshot of all processes is reused for this long. */
const LOOK_MS = 1000;

/** Processes that are looked at between two turns of the event loop. */
const ROWS_A_TURN = 256;

interface Row {
  pid: number;
  parent: number;
}

interface Os extends Pick<ProcessTable, 'residentBytes' | 'cpuMs' | 'commandLine' | 'isSuspended'> {
  /** Text that distinguishes this process from a later one with the same pid; null when none lives. */
  startedAt(pid: number): Promise<string | null>;
  rows(): Promise<Row[]>;
}

/** The machine's processes: `/proc` on Linux, `ps` elsewhere. */
export function createProcessTable(platform: NodeJS.Platform = process.platform): ProcessTable {
  const os = platform === 'linux' ? linux : platform === 'darwin' ? darwin() : unix;
  return {
    async identify(pid) {
      const startedAt = await os.startedAt(pid);
      return startedAt === null ? null : { pid, startedAt };
    },
    async descendants(pid) {
      return descendantsOf(pid, await os.rows());
    },
    residentBytes: os.residentBytes,
    cpuMs: os.cpuMs,
    commandLine: os.commandLine,
    isSuspended: os.isSuspended,
    async signal({ pid, startedAt }, signal) {
      if (pid <= 1 || (await os.startedAt(pid)) !== startedAt) return false;
      try {
        return process.kill(pid, signal);
      } catch {
        // It ended meanwhile.
        return false;
      }
    },
    signalGroup,
  };
}

/** Children of all generations, parents before their children. */
export function descendantsOf(pid: number, rows: readonly Row[]): number[] {
  const found = [pid];
  for (let at = 0; at < found.length; at += 1) {
    for (const row of rows) {
      if (row.parent === found[at] && !found.includes(row.pid)) found.push(row.pid);
    }
  }
  return found.slice(1);
}

/** Fields of `/proc/PID/stat` from the third on; the name before them may contain spaces and parentheses. */
function statFields(text: string): string[] {
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/**
 * A `/proc` file of one process; null when none lives. Read synchronously: the kernel writes it from memory within
 * microseconds, and the thread pool took most of an idle host's CPU time.
 */
function procFile(pid: number, name: 'stat' | 'status' | 'cmdline'): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return null;
  }
}

/** Null for a process that does not live, and for a zombie, which only keeps its pid. */
function livingFields(pid: number): string[] | null {
  const stat = procFile(pid, 'stat');
  const fields = stat === null ? null : statFields(stat);
  return fields?.[0] === 'Z' ? null : fields;
}

const linux: Os = {
  async startedAt(pid) {
    // Field 22 is the start time in ticks since boot.
    return livingFields(pid)?.[19] ?? null;
  },
  async rows() {
    const rows: Row[] = [];
    let read = 0;
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      read += 1;
      if (read % ROWS_A_TURN === 0) await nextTurn();
      const stat = procFile(Number(name), 'stat');
      if (stat !== null) rows.push({ pid: Number(name), parent: Number(statFields(stat)[1]) });
    }
    return rows;
  },
  async residentBytes(pid) {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(procFile(pid, 'status') ?? '');
    return match ? Number(match[1]) * 1024 : null;
  },
  async cpuMs(pid) {
    const fields = livingFields(pid);
    // Fields 14 and 15 are user and system time in ticks of 10 ms.
    return fields && (Number(fields[11]) + Number(fields[12])) * 10;
  },
  async commandLine(pid) {
    return procFile(pid, 'cmdline')?.split('\0').join(' ').trim() || null;
  },
  async isSuspended(pid) {
    return livingFields(pid)?.[0] === 'T';
  },
};

async function ps(...args: string[]): Promise<string> {
  const { stdout } = await execute('/bin/ps', args, { timeout: 5000, env: { LC_ALL: 'C' } });
  return stdout.trim();
}

const unix: Os = {
  async startedAt(pid) {
    try {
      return (await ps('-o', 'lstart=', '-p', String(pid))) || null;
    } catch {
      return null;
    }
  },
  async rows() {
    const lines = (await ps('-axo', 'pid=,ppid=')).split('\n');
    return lines.map((line) => {
      const [pid, parent] = line.trim().split(/\s+/).map(Number);
      return { pid: pid ?? 0, parent: parent ?? 0 };
    });
  },
  async residentBytes(pid) {
    try {
      return Number(await ps('-o', 'rss=', '-p', String(pid))) * 1024 || null;
    } catch {
      return null;
    }
  },
  async cpuMs(pid) {
    try {
      return parseCpuTime(await ps('-o', 'time=', '-p', String(pid)));
    } catch {
      return null;
    }
  },
  async commandLine(pid) {
    try {
      return (await ps('-ww', '-o', 'command=', '-p', String(pid))) || null;
    } catch {
      return null;
    }
  },
  async isSuspended(pid) {
    try {
      return (await ps('-o', 'stat=', '-p', String(pid))).startsWith('T');
    } catch {
      return false;
    }
  },
};

/**
 * macOS counts a process's GPU memory in its footprint, not in its resident size. Only `top` reports it without special
 * rights; it reads all processes in any case, so one call serves all callers within a moment.
 */
function darwin(): Os {
  let look: { at: number; footprints: Promise<Map<number, number>> } | null = null;
  return {
    ...unix,
    async residentBytes(pid) {
      const now = performance.now();
      if (look === null || now - look.at > LOOK_MS) look = { at: now, footprints: readFootprints() };
      return (await look.footprints).get(pid) ?? unix.residentBytes(pid);
    },
  };
}

/** Empty if `top` cannot be called this way. Never rejects. */
async function readFootprints(): Promise<Map<number, number>> {
  try {
    const { stdout } = await execute('/usr/bin/top', ['-l', '1', '-F', '-R', '-stats', 'pid,mem'], {
      timeout: 5000,
      env: { LC_ALL: 'C' },
    });
    return parseFootprints(stdout);
  } catch {
    return new Map();
  }
}

/** Bytes by pid from `top -stats pid,mem`: `1234  567M`, with `+` or `-` where it has changed. */
export function parseFootprints(text: string): Map<number, number> {
  const units = 'BKMGT';
  const rows = [...text.matchAll(/^\s*(\d+)[*+-]?\s+(\d+(?:\.\d+)?)([BKMGT])[+-]?\s*$/gm)];
  return new Map(
    rows.map(([, pid, size, unit = 'B']) => [Number(pid), Number(size) * 1024 ** units.indexOf(unit)]),
  );
}

/** Ms from what `ps` prints as a process's CPU time: `MM:SS.cc` on macOS, `[D-]HH:MM:SS` elsewhere. */
export function parseCpuTime(text: string): number | null {
  const match = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(text.trim());
  if (!match) return null;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return Math.round(((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000);
}
