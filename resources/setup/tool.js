/**
 * Runs one of the project's own tools on Node 24, after the same preparation as `npm start`: `node
 * resources/setup/tool.js [--electron] FILE [argument…]`. With `--electron`, `TANDEM_ELECTRON` is the path of
 * Electron's binary for the tool. Exit code: the tool's own, 1 if the preparation failed, 130 after SIGINT.
 */
import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { ExitSignals } from './lib/exit-signals.js';
import { exitCodeOf } from './lib/host-process.js';
import { projectDir, readManifest } from './lib/manifest.js';
import { startOptions, UsageError } from './lib/options.js';
import { ownPlace } from './lib/paths.js';
import { pickHost } from './lib/pick-host.js';
import { prepareProgram } from './lib/prepare-program.js';
import { SetupError } from './lib/setup-error.js';
import { stepPrinter } from './lib/steps.js';

/** @returns {Promise<number>} exit code */
async function main(args, signals) {
  const withElectron = args[0] === '--electron';
  const [file, ...rest] = withElectron ? args.slice(1) : args;
  if (!file) throw new UsageError('Usage: tool.js [--electron] FILE [argument…]');
  const place = ownPlace(homedir());
  // The tool's output is its result, so our own messages go to stderr.
  const job = {
    root: projectDir,
    place,
    manifest: readManifest(),
    steps: stepPrinter(process.stderr),
    signal: signals.signal,
  };
  const { node } = await prepareProgram(job);
  const env = { ...place.env, ...(withElectron ? { TANDEM_ELECTRON: await electronPath(job) } : {}) };
  return runTool(node, [resolve(projectDir, file), ...rest], env, signals);
}

async function electronPath(job) {
  const host = await pickHost({ ...job, options: startOptions([]) });
  if (host.host === 'electron') return host.path;
  throw new SetupError('no_electron', host.line, 'This needs Electron and a display.');
}

function runTool(node, args, env, signals) {
  return new Promise((done, reject) => {
    const child = spawn(node, args, { env, stdio: 'inherit', detached: true });
    signals.onSignal((name) => child.kill(name));
    child.on('error', reject);
    child.on('exit', (code, signal) => done(exitCodeOf({ code, signal, ownCode: signals.exitCode })));
  });
}

const signals = new ExitSignals();
main(process.argv.slice(2), signals).then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`${[error.message, error.cure].filter(Boolean).join('\n')}\n`);
    process.exit(signals.exitCode ?? (error instanceof UsageError ? 2 : 1));
  },
);
