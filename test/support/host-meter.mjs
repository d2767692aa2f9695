/**
 * Loaded into the headless host by `--import`, for benchmarks and tests of what it holds and how long it blocks. At each
 * SIGUSR2 it collects garbage and writes what is left into the file named by TANDEM_HOST_METER:
 * `{ heap, external, rss, resources, blockMs }`; bytes, the number of active handles and requests, and the longest time
 * since the signal before in which the event loop did not turn. The collection does not count.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const path = process.env.TANDEM_HOST_METER;
const RESOLUTION_MS = 1;

if (isMainThread && path) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.on('SIGUSR2', () => {
    const blockMs = Math.max(0, delay.max / 1e6 - RESOLUTION_MS);
    const { rss } = process.memoryUsage();
    // What finalizers release goes with the next collection.
    collect();
    setImmediate(() => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      const resources = process.getActiveResourcesInfo().length;
      const held = { heap: heapUsed, external, rss, resources, blockMs };
      writeFileSync(`${path}.tmp`, JSON.stringify(held));
      renameSync(`${path}.tmp`, path);
      // The next turn ends the delay of this one.
      setImmediate(() => setImmediate(() => delay.reset()));
    });
  });
}
