import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { basename } from 'node:path';
import { run } from './run.js';

/**
 * Whether a loopback port accepts connections.
 *
 * @param {number} port
 * @returns {Promise<boolean>}
 */
export function isTaken(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1000 });
    const end = (taken) => {
      socket.destroy();
      resolve(taken);
    };
    socket
      .on('connect', () => end(true))
      .on('error', () => end(false))
      .on('timeout', () => end(true));
  });
}

/**
 * The process that listens on a port: name and pid, as far as this user may see (Linux: `/proc`; macOS: `lsof`).
 *
 * @param {number} port
 * @returns {Promise<{ name: string, pid: number } | undefined>}
 */
export async function portHolder(port) {
  if (process.platform === 'linux') return linuxHolder(port);
  const result = await run('/usr/sbin/lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], {
    timeoutMs: 5000,
  });
  const pid = Number(/^p(\d+)$/m.exec(result.stdout)?.[1]);
  const name = /^c(.+)$/m.exec(result.stdout)?.[1];
  return pid && name ? { name, pid } : undefined;
}

/** Socket inodes that listen (state 0A) on the port, from `/proc/net/tcp` and `tcp6`. */
function listeningInodes(port) {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readQuietly(file).split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(`:${wanted}`) && fields[3] === '0A') inodes.add(`socket:[${fields[9]}]`);
    }
  }
  return inodes;
}

function readQuietly(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** The kernel's name is that of the main thread: "MainThread" for every Node and Python. */
function programName(pid) {
  const [program] = readQuietly(`/proc/${pid}/cmdline`).split('\0', 1);
  return basename(program) || readQuietly(`/proc/${pid}/comm`).trim();
}

function linuxHolder(port) {
  const inodes = listeningInodes(port);
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const links = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      if (links.some((link) => inodes.has(link))) return { name: programName(pid), pid: Number(pid) };
    } catch {
      // another user's process, or one that has just ended
    }
  }
  return undefined;
}
