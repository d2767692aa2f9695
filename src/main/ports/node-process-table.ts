import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { signalGroup } from './node-spawner';
import type { ProcessTable } from './spawner';

const execute = promisify(execFile);

/** So long a look at all processes is fresh enough for whoever asks about one of them. */
const LOOK_MS = 1000;

interface Row {
  pid: number;
  parent: number;
}

interface Os {
  /** Text that tells this process from a later one with the same pid; null when none lives. */
  startedAt(pid: number): Promise<string | null>;
  rows(): Promise<Row[]>;
  residentBytes(pid: number): Promise<number | null>;
  cpuMs(pid: number): Promise<number | null>;
  isSuspended(pid: number): Promise<boolean>;
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
    isSuspended: os.isSuspended,
    async signal({ pid, startedAt }, signal) {
      if (pid <= 1 || (await os.startedAt(pid)) !== startedAt) return false;
      try {
        return process.kill(pid, signal);
      } catch {
        // It ended in between.
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

/** Fields of `/proc/PID/stat` from the third on; the name before them may hold spaces and parentheses. */
function statFields(text: string): string[] {
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

const linux: Os = {
  async startedAt(pid) {
    try {
      const fields = statFields(await readFile(`/proc/${pid}/stat`, 'utf8'));
      // A zombie holds its pid but nothing else. Field 22 is the start time in ticks since boot.
      return fields[0] === 'Z' ? null : (fields[19] ?? null);
    } catch {
      return null;
    }
  },
  async rows() {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
    const rows = await Promise.all(
      pids.map(async (pid) => {
        try {
          return { pid, parent: Number(statFields(await readFile(`/proc/${pid}/stat`, 'utf8'))[1]) };
        } catch {
          return null;
        }
      }),
    );
    return rows.filter((row) => row !== null);
  },
  async residentBytes(pid) {
    try {
      const match = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'));
      return match ? Number(match[1]) * 1024 : null;
    } catch {
      return null;
    }
  },
  async cpuMs(pid) {
    try {
      const fields = statFields(await readFile(`/proc/${pid}/stat`, 'utf8'));
      // Fields 14 and 15 are user and system time in ticks of 10 ms.
      return fields[0] === 'Z' ? null : (Number(fields[11]) + Number(fields[12])) * 10;
    } catch {
      return null;
    }
  },
  async isSuspended(pid) {
    try {
      return statFields(await readFile(`/proc/${pid}/stat`, 'utf8'))[0] === 'T';
    } catch {
      return false;
    }
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
  async isSuspended(pid) {
    try {
      return (await ps('-o', 'stat=', '-p', String(pid))).startsWith('T');
    } catch {
      return false;
    }
  },
};

/**
 * macOS counts what the GPU holds of a process in its footprint, not in its resident size. `top` is the one program that
 * tells it to everybody; as it looks at all processes in any case, one look serves all who ask within a moment.
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

/** Empty where `top` cannot be asked so. Never rejects. */
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
