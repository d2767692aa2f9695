/**
 * Loaded into the headless host by `--import`, for benchmarks and tests of its resources and blocking times. At each
 * SIGUSR2 it collects garbage and writes to the file named by TANDEM_HOST_METER: `{ heap, external, rss, resources,
 * collectMs, blockMs, busyMs, delayMs }`: bytes, the number of active handles and requests, the CPU time of the
 * collection, and, since the previous signal, the most CPU time that the main thread used in one turn, its CPU time in
 * all turns, and the longest time in which the event loop did not turn, which is longer on a busy machine. The
 * collection itself is not counted.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const path = process.env.TANDEM_HOST_METER;
const TURN_MS = 1;

const used = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

let collect = () => {};
let block = 0;
let before = 0;
let since = 0;

function turn() {
  const now = used();
  block = Math.max(block, now - before);
  before = now;
}

function hold(delay, busy) {
  const taken = { blockMs: block, busyMs: busy, delayMs: Math.max(0, delay.max / 1e6 - TURN_MS) };
  const { rss } = process.memoryUsage();
  const begun = used();
  collect();
  const collectMs = used() - begun;
  const { heapUsed, external } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo().length;
  const held = { heap: heapUsed, external, rss, resources, collectMs, ...taken };
  writeFileSync(`${path}.tmp`, JSON.stringify(held));
  renameSync(`${path}.tmp`, path);
  before = used();
  since = before;
  block = 0;
  delay.reset();
}

if (isMainThread && path) {
  setFlagsFromString('--expose-gc');
  collect = runInNewContext('gc');
  const delay = monitorEventLoopDelay({ resolution: TURN_MS });
  delay.enable();
  before = used();
  since = before;
  setInterval(turn, TURN_MS).unref();
  process.on('SIGUSR2', () => {
    turn();
    const busy = before - since;
    // The second collection frees what finalizers release.
    collect();
    setImmediate(hold, delay, busy);
  });
}
