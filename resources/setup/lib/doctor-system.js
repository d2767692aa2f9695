import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mayUse, sortEntries } from './data-folder.js';
import { answers } from './http-probe.js';
import { dataDir, runtimeDir } from './paths.js';
import { isTaken, portHolder } from './port-holder.js';
import { runningInstance } from './running-instance.js';

const gigabyte = 1e9;

/** Ports of Tandem and of Ollama. A taken UI port is replaced, and Ollama's may be taken by Ollama. */
function portsToCheck({ env }) {
  return [
    { port: 11434, use: 'Ollama', mayBeTaken: true },
    { port: portOf(env.TANDEM_MLX_API_PORT, 11435), use: 'MLX API', mayBeTaken: false },
    { port: portOf(env.TANDEM_GATEWAY_PORT, 11436), use: 'gateway', mayBeTaken: false },
    { port: portOf(env.TANDEM_WEB_PORT, 11437), use: 'UI', mayBeTaken: true },
  ];
}

/** An invalid port is ignored, as in the program. */
function portOf(text, fallback) {
  const port = Number(text || fallback);
  return Number.isInteger(port) && port >= 0 && port <= 65535 ? port : fallback;
}

/** Whether the ports are free, or held by the expected program. */
export async function checkPorts({ place, signal }) {
  const instance = runningInstance(dataDir(place));
  const looks = await Promise.all(portsToCheck(place).map((entry) => lookAtPort(entry, instance, signal)));
  const detail = looks.map((look) => look.text).join(', ');
  const bad = looks.filter((look) => look.blocks);
  if (bad.length === 0) return { state: 'found', detail };
  const cure = `End ${bad.map((look) => look.who).join(' and ')}, or choose other ports (TANDEM_GATEWAY_PORT, TANDEM_MLX_API_PORT).`;
  return { state: 'broken', detail, cure };
}

async function lookAtPort({ port, use, mayBeTaken }, instance, signal) {
  if (port === 0) return { text: `any free one for the ${use}`, blocks: false };
  if (!(await isTaken(port))) return { text: `${port} free`, blocks: false };
  if (port === 11434 && (await answers(`http://127.0.0.1:${port}/api/version`, signal))) {
    return { text: `${port} Ollama`, blocks: false };
  }
  const holder = await portHolder(port);
  if (instance && holder?.pid === instance.pid) return { text: `${port} Tandem, which runs`, blocks: false };
  const who = holder ? `${holder.name} (process ${holder.pid})` : 'another program';
  return { text: `${port} (${use}) held by ${who}`, blocks: !mayBeTaken, who };
}

/** The nearest existing folder above a path. */
function existingAbove(path) {
  return existsSync(path) ? path : existingAbove(dirname(path));
}

/** Free space for the runtimes: they take 1.3 GB during the build. */
export async function checkDisk({ place, manifest }) {
  const dir = runtimeDir(place);
  const complete = existsSync(join(dir, `mlx-${manifest.mlx.version}`));
  const needed = complete ? 0.5 : 3;
  const { bavail, bsize } = statfsSync(existingAbove(dir));
  const free = (bavail * bsize) / gigabyte;
  const detail = `${free.toFixed(1)} GB free for ${dir}`;
  if (free >= needed) return { state: 'found', detail };
  const cure = `Free at least ${needed} GB, or set TANDEM_RUNTIME_DIR to a folder on another disk.`;
  return { state: 'broken', detail, cure };
}

/** The data folder: existing and ours, or to be created. */
export async function checkData({ place }) {
  const dir = dataDir(place);
  const instance = runningInstance(dir);
  const there = existingAbove(dir);
  const cure = 'Correct its owner and rights, or name another folder with --data-dir.';
  if (!statSync(there).isDirectory()) return { state: 'broken', detail: `${there} is no folder`, cure };
  try {
    accessSync(there, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return { state: 'broken', detail: `${there} cannot be written`, cure };
  }
  if (instance) return { state: 'found', detail: `${dir}, in use by Tandem (process ${instance.pid})` };
  if (!mayUse(dir)) {
    const detail = `${dir} has files of another program in it (${sortEntries(dir).foreign[0]})`;
    return { state: 'broken', detail, cure: 'Name an empty or a new folder with --data-dir.' };
  }
  if (there === dir) return { state: 'found', detail: dir };
  return { state: 'missing', detail: `${dir} is made at the first start`, obtainable: true };
}
