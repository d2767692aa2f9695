/**
 * `npm start`: installs, builds and runs Tandem; also the doctor (`--check`) and the uninstaller (`--uninstall`). Needs
 * only a Node with npm. The program itself sets up the runtimes of the two servers (see runtimes.js), so that its UI is
 * visible meanwhile. Exit code: the program's own; 0 after SIGTERM, 130 after SIGINT, 1 for a failure, 2 for wrong
 * usage.
 */
import { homedir } from 'node:os';
import { doctor } from './lib/doctor.js';
import { ExitSignals } from './lib/exit-signals.js';
import { runHost } from './lib/host-process.js';
import { projectDir, readManifest } from './lib/manifest.js';
import { requireNode20 } from './lib/node-runtime.js';
import { startOptions, startUsage, UsageError } from './lib/options.js';
import { ownPlace } from './lib/paths.js';
import { pickHost } from './lib/pick-host.js';
import { prepareProgram } from './lib/prepare-program.js';
import { SetupError } from './lib/setup-error.js';
import { stepPrinter } from './lib/steps.js';
import { uninstall } from './lib/uninstall.js';

/** @returns {Promise<number>} exit code */
async function main(signals) {
  requireNode20(process.versions.node);
  const options = startOptions(process.argv.slice(2), process.env.INIT_CWD);
  const place = ownPlace(homedir());
  if (options.dataDir) place.env = { ...place.env, TANDEM_DATA_DIR: options.dataDir };
  const job = {
    options,
    place,
    root: projectDir,
    manifest: readManifest(),
    out: process.stdout,
    signal: signals.signal,
  };
  switch (options.action) {
    case 'help':
      process.stdout.write(`${startUsage}\n`);
      return 0;
    case 'check':
      return doctor(job);
    case 'uninstall':
      return uninstall(job);
    default:
      return start(job, signals);
  }
}

async function start(job, signals) {
  const steps = stepPrinter(job.out, { json: job.options.json });
  const { node } = await prepareProgram({ ...job, steps });
  const host = await pickHost({ ...job, steps });
  steps.say(host.line);
  return runHost({ ...job, host, node, signals });
}

const signals = new ExitSignals();
main(signals).then(
  (code) => process.exit(code),
  (error) => {
    if (signals.exitCode !== undefined) process.exit(signals.exitCode);
    process.stderr.write(
      `${error instanceof UsageError ? `${error.message}\n\n${startUsage}` : describe(error)}\n`,
    );
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);

function describe(error) {
  if (!(error instanceof SetupError)) return error.stack ?? String(error);
  return error.cure ? `${error.message}\n${error.cure}` : error.message;
}
