/**
 * Sets up the two servers' runtimes and a small model: `node resources/setup/runtimes.js [--only mlx|ollama|model] [--json] [--no-system-packages]`.
 * It is a child of the program, which shows its progress, and it ends when its parent goes away. With `--json` every
 * line of stdout is one event; the last of each part has the stage `ready`, `absent` or `failed`.
 * Exit code: 0 when each part is ready or absent, 1 when one failed, 2 for wrong usage, 130 after SIGINT, 143 after SIGTERM.
 */
import { homedir } from 'node:os';
import { readManifest } from './lib/manifest.js';
import { runtimeOptions, UsageError } from './lib/options.js';
import { ownPlace } from './lib/paths.js';
import { eventPrinter } from './lib/runtime-events.js';
import { setUpRuntimes } from './lib/set-up-runtimes.js';

/** Aborts the work when the parent is gone or a signal comes; gives the exit code that belongs to it. */
function watchForEnd(controller) {
  const parent = process.ppid;
  const stop = (code) => {
    process.exitCode = code;
    controller.abort(new Error('stopped'));
  };
  process.on('SIGINT', () => stop(130));
  process.on('SIGTERM', () => stop(143));
  process.on('SIGHUP', () => stop(129));
  // The reader of our events is gone with the parent.
  process.stdout.on('error', () => stop(1));
  const timer = setInterval(() => process.ppid !== parent && stop(1), 500);
  timer.unref();
}

async function main() {
  const options = runtimeOptions(process.argv.slice(2));
  const controller = new AbortController();
  watchForEnd(controller);
  const results = await setUpRuntimes({
    parts: options.only ? [options.only] : ['mlx', 'ollama', 'model'],
    place: ownPlace(homedir()),
    manifest: readManifest(),
    allowPackages: options.systemPackages,
    onEvent: eventPrinter(process.stdout, { json: options.json }),
    signal: controller.signal,
  });
  if (process.exitCode === undefined)
    process.exitCode = results.some((result) => result.stage === 'failed') ? 1 : 0;
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
