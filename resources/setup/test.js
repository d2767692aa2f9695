/**
 * `npm test [-- GROUP… [FILE…]]`: installs what the tests need and runs them all: types, lint, unit (with the Electron
 * main process on doubles), integration on both real servers, UI in a real Chromium and, on Linux x64, in a real
 * Electron. With group names it runs only those; other words are file filters for the groups with files. The last line
 * of stdout is `N passed, N failed, N skipped`. Exit code: 0 if nothing failed, 1 otherwise (also after SIGTERM), 2 for
 * wrong usage, 130 after SIGINT.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from './lib/chromium.js';
import { ExitSignals } from './lib/exit-signals.js';
import { projectDir, readManifest } from './lib/manifest.js';
import { requireNode20 } from './lib/node-runtime.js';
import { UsageError } from './lib/options.js';
import { ownPlace } from './lib/paths.js';
import { prepareProgram } from './lib/prepare-program.js';
import { eventPrinter } from './lib/runtime-events.js';
import { setUpRuntimes } from './lib/set-up-runtimes.js';
import { SetupError } from './lib/setup-error.js';
import { stepPrinter } from './lib/steps.js';
import { canTestWindow, setUpTestElectron } from './lib/test-electron.js';
import { testEnvironment } from './lib/test-environment.js';
import { needsServers, testPlan } from './lib/test-plan.js';
import { runGroup, wholeGroup } from './lib/test-run.js';
import { closingLine, detailLines, sumUp } from './lib/test-summary.js';

async function main(signal) {
  requireNode20(process.versions.node);
  const plan = testPlan(process.argv.slice(2));
  const steps = stepPrinter(process.stdout);
  const place = ownPlace(homedir());
  place.env = testEnvironment(place.env);
  const job = { root: projectDir, place, manifest: readManifest(), steps, signal };
  const { node } = await prepareProgram({ ...job, withBuild: false });
  const scratch = mkdtempSync(join(tmpdir(), 'tandem-test-'));
  try {
    const run = { root: projectDir, node, files: plan.files, scratch, signal };
    const quick = plan.groups.filter((group) => !needsServers(group));
    const results = await runGroups(quick, { ...run, env: place.env });
    const slow = plan.groups.filter(needsServers);
    if (slow.length > 0) results.push(...(await setUpAndRun(slow, job, run)));
    return report(sumUp(results));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function runGroups(groups, run) {
  const results = [];
  for (const group of groups) {
    process.stdout.write(`\n── ${group}\n`);
    results.push(await runGroup(group, run));
    run.signal.throwIfAborted();
  }
  return results;
}

/** Runs groups that use the built program. A failed set-up counts as one failed test; they do not run then. */
async function setUpAndRun(groups, job, run) {
  const started = Date.now();
  process.stdout.write('\n── set-up\n');
  try {
    await prepareProgram(job);
    const found = await runtimes(job);
    if (groups.includes('ui')) {
      found.chromium = await findChromium({ ...job, aptName: job.manifest.chromium.apt });
      if (canTestWindow(process)) await setUpTestElectron(job);
    }
    return await runGroups(groups, { ...run, env: testEnvironment(job.place.env, found) });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    const elapsedMs = Date.now() - started;
    const text = [error.message, error.cure].filter(Boolean).join(' ');
    process.stdout.write(`${text}\n`);
    return [{ group: 'set-up', elapsedMs, tests: [wholeGroup('set-up', 'failed', elapsedMs, text)] }];
  }
}

/** Sets up both runtimes and the small model without adopting a server of the user: tests start their own. */
async function runtimes({ place, manifest, signal }) {
  const onEvent = eventPrinter(process.stdout, { json: false });
  const parts = ['mlx', 'ollama', 'model'];
  const events = await setUpRuntimes({
    parts,
    place,
    manifest,
    allowPackages: true,
    adopt: false,
    onEvent,
    signal,
  });
  signal.throwIfAborted();
  const bad = events.find((event) => event.stage !== 'ready');
  if (bad)
    throw new SetupError(
      bad.code ?? 'setup_failed',
      `The tests need both servers and the small model. ${bad.detail}`,
      bad.cure,
    );
  const pathOf = (part) => events.find((event) => event.part === part)?.path;
  return { mlxPython: pathOf('mlx'), ollama: pathOf('ollama'), smallModel: pathOf('model') };
}

function report(sum) {
  process.stdout.write(`\n${detailLines(sum).join('\n')}\n${closingLine(sum)}\n`);
  return sum.failed > 0 ? 1 : 0;
}

const signals = new ExitSignals();
main(signals.signal).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    // Interrupted tests have not passed, so here even SIGTERM is a failure.
    process.exitCode = signals.exitCode || (error instanceof UsageError ? 2 : 1);
    if (signals.exitCode !== undefined) return;
    process.stderr.write(`${[error.message, error.cure].filter(Boolean).join('\n')}\n`);
    // Nothing ran, which counts as one failure: the last line alone must not look like success.
    if (process.exitCode === 1) process.stdout.write('0 passed, 1 failed, 0 skipped\n');
  },
);
