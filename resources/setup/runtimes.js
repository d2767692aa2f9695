/**
 * Sets up the runtimes of both servers and a small model:
 * `node resources/setup/runtimes.js [--only mlx|ollama|model] [--json] [--no-system-packages]`. Runs as a child of the
 * program, which shows its progress, and ends when its parent exits. With `--json` every line of stdout is one event;
 * the last of each part has the stage `ready`, `absent` or `failed`. Exit code: 0 if each part is ready or absent, 1 if
 * one failed, 2 for wrong usage, 129 after SIGHUP, 130 after SIGINT, 143 after SIGTERM.
 */
import { homedir } from 'node:os';
import { readManifest } from './lib/manifest.js';
import { runtimeOptions, UsageError } from './lib/options.js';
import { ownPlace } from './lib/paths.js';
import { eventPrinter } from './lib/runtime-events.js';
import { setUpRuntimes } from './lib/set-up-runtimes.js';

/** Aborts the work when the parent has exited or a signal arrives, and sets the exit code. */
function watchForEnd(controller) {
  const parent = process.ppid;
  const stop = (code) => {
    process.exitCode = code;
    controller.abort(new Error('stopped'));
  };
  process.on('SIGINT', () => stop(130));
  process.on('SIGTERM', () => stop(143));
  process.on('SIGHUP', () => stop(129));
  // Writing fails once the parent, which reads the events, has exited.
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
