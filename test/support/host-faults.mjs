/**
 * Loaded into the headless host by `--import`, for the fault benchmark: simulates faults of the machine. The file named
 * by TANDEM_HOST_FAULTS contains `{ "clockMs": n, "memory": 0..1 }` and is read again at each SIGUSR2. Only the wall
 * clock and the memory figures from `/proc` change; the app's own code is the shipped one. At the same time the host's
 * resources are written to a file with the suffix `.held`: `{ "timers": n, "listeners": n }`, the running timers, and
 * the listeners on its process plus one for each emitter that Node has warned about.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
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

/** All running timers, including those that do not keep the process alive, which Node does not list. */
const timers = new Set();
for (const [set, clear] of [
  ['setTimeout', 'clearTimeout'],
  ['setInterval', 'clearInterval'],
]) {
  const [start, stop] = [globalThis[set], globalThis[clear]];
  globalThis[set] = (callback, ...rest) => {
    const timer = start(
      (...args) => {
        if (set === 'setTimeout') timers.delete(timer);
        callback(...args);
      },
      ...rest,
    );
    timers.add(timer);
    return timer;
  };
  // `util.promisify` reads its custom version from these properties.
  Object.defineProperties(globalThis[set], Object.getOwnPropertyDescriptors(start));
  globalThis[clear] = (timer) => {
    timers.delete(timer);
    stop(timer);
  };
}

let crowded = 0;
process.on('warning', ({ name }) => {
  if (name === 'MaxListenersExceededWarning') crowded += 1;
});

function writeHeld(path) {
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), crowded);
  writeFileSync(`${path}.tmp`, JSON.stringify({ timers: timers.size, listeners }));
  renameSync(`${path}.tmp`, path);
}

if (isMainThread && process.env.TANDEM_HOST_FAULTS) {
  process.on('SIGUSR2', () => {
    faults = JSON.parse(readFileSync(process.env.TANDEM_HOST_FAULTS, 'utf8'));
    writeHeld(`${process.env.TANDEM_HOST_FAULTS}.held`);
  });
}
