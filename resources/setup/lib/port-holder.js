import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename } from 'node:path';
import { run } from './run.js';

/**
 * @typedef {object} PortHolder the process that listens on a port
 * @property {number} pid
 * @property {string} name of its program
 */

/** Longest search for the holder, ms. */
const limitMs = 2_000;

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
 * The process that listens on this local TCP port, as far as this user may see. The program uses this function too.
 *
 * @param {number} port
 * @param {string} [platform]
 * @returns {Promise<PortHolder | null>} null when it cannot be found within two seconds; never rejects
 */
export function findPortHolder(port, platform = process.platform) {
  const search = platform === 'linux' ? holderFromProc(port) : holderFromLsof(port);
  const giveUp = new Promise((resolve) => setTimeout(() => resolve(null), limitMs).unref());
  return Promise.race([search.catch(() => null), giveUp]);
}

const textOf = (file) => readFile(file, 'utf8').catch(() => '');

/** Linux: the socket's inode from the kernel's table of listeners, then the process that holds that inode. */
async function holderFromProc(port) {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(textOf));
  const inodes = new Set(tables.flatMap((table) => listenerInodes(table, port)));
  if (inodes.size === 0) return null;
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || !(await holdsSocket(entry, inodes))) continue;
    const name = programName(await textOf(`/proc/${entry}/cmdline`), await textOf(`/proc/${entry}/comm`));
    return { pid: Number(entry), name };
  }
  return null;
}

/**
 * Name of a program from `/proc/<pid>/cmdline`; the kernel's own name is that of the main thread, which is "MainThread"
 * for every Node and Python.
 *
 * @param {string} commandLine
 * @param {string} threadName
 */
export function programName(commandLine, threadName) {
  const [program] = commandLine.split('\0', 1);
  return basename(program) || threadName.trim();
}

/**
 * Inodes of the sockets that listen on a port, from the text of `/proc/net/tcp` (state 0A is LISTEN).
 *
 * @param {string} table
 * @param {number} port
 * @returns {string[]}
 */
export function listenerInodes(table, port) {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    return local?.endsWith(suffix) && state === '0A' && inode !== undefined ? [inode] : [];
  });
}

async function holdsSocket(pid, inodes) {
  const folder = `/proc/${pid}/fd`;
  for (const descriptor of await readdir(folder).catch(() => [])) {
    const target = await readlink(`${folder}/${descriptor}`).catch(() => '');
    if (inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1])) return true;
  }
  return false;
}

async function holderFromLsof(port) {
  const args = ['-nP', '-F', 'pc', `-iTCP:${port}`, '-sTCP:LISTEN'];
  return parseLsof((await run('/usr/sbin/lsof', args, { timeoutMs: limitMs })).stdout);
}

/**
 * First process in the output of `lsof -F pc`: a line `p<pid>`, then a line `c<command>`.
 *
 * @param {string} output
 * @returns {PortHolder | null}
 */
export function parseLsof(output) {
  const pid = /^p(\d+)$/m.exec(output)?.[1];
  const name = /^c(.+)$/m.exec(output)?.[1];
  return pid === undefined || name === undefined ? null : { pid: Number(pid), name };
}
