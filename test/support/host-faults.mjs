/**
 * Loaded into the headless host by `--import`, for the fault benchmark: what the machine does under it. The file named
 * by TANDEM_HOST_FAULTS holds `{ "clockMs": n, "memory": 0..1 }` and is read anew at each SIGUSR2. Only the wall clock and
 * what `/proc` tells of memory are changed; the app's own code is the shipped one.
 */
import { readFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

let faults = { clockMs: 0, memory: null };

const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + faults.clockMs);
    else super(...parts);
  }

  static now() {
    return RealDate.now() + faults.clockMs;
  }
};

const readFile = promises.readFile;
promises.readFile = async (path, ...rest) => {
  const text = await readFile(path, ...rest);
  if (faults.memory === null || typeof text !== 'string') return text;
  if (path === '/proc/self/cgroup') return '';
  if (path !== '/proc/meminfo') return text;
  const total = Number(/MemTotal:\s+(\d+)/.exec(text)?.[1]);
  return text.replace(/MemAvailable:\s+\d+/, `MemAvailable: ${Math.round(total * (1 - faults.memory))}`);
};
syncBuiltinESMExports();

if (isMainThread && process.env.TANDEM_HOST_FAULTS) {
  process.on('SIGUSR2', () => {
    faults = JSON.parse(readFileSync(process.env.TANDEM_HOST_FAULTS, 'utf8'));
  });
}
