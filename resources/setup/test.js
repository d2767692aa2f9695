/**
 * `npm test [-- GROUP… [FILE…]]`: installs what the tests need and runs them all: types, lint, unit (with the Electron
 * main process on doubles), integration on both real servers, UI in a real Chromium. With group names only those; other
 * words are file filters for the groups that have files. The last line of stdout is `N passed, N failed, N skipped`.
 * Exit code: 0 when nothing failed, 1 otherwise, 2 for wrong usage, 130 after SIGINT.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from './lib/chromium.js';
import { ExitSignals } from './lib/exit-signals.js';
import { projectDir, readManifest } from './lib/manifest.js';
import { UsageError } from './lib/options.js';
import { ownPlace } from './lib/paths.js';
import { prepareProgram } from './lib/prepare-program.js';
import { eventPrinter } from './lib/runtime-events.js';
import { setUpRuntimes } from './lib/set-up-runtimes.js';
import { stepPrinter } from './lib/steps.js';
import { testEnvironment } from './lib/test-environment.js';
import { needsOf, testPlan } from './lib/test-plan.js';
import { runGroup } from './lib/test-run.js';
import { closingLine, detailLines, sumUp } from './lib/test-summary.js';

async function main(signal) {
  const plan = testPlan(process.argv.slice(2));
  const needs = needsOf(plan.groups);
  const manifest = readManifest();
  const steps = stepPrinter(process.stdout);
  const place = ownPlace(homedir());
  place.env = testEnvironment(place.env);
  const { node } = await prepareProgram({
    root: projectDir,
    place,
    manifest,
    steps,
    withBuild: needs.build,
    signal,
  });
  const found = {
    chromium: needs.chromium
      ? await findChromium({ place, aptName: manifest.chromium.apt, steps, signal })
      : undefined,
    ...(needs.runtimes ? await runtimes({ place, manifest, signal }) : {}),
  };
  const scratch = mkdtempSync(join(tmpdir(), 'tandem-test-'));
  try {
    const env = testEnvironment(place.env, found);
    const results = [];
    for (const group of plan.groups) {
      process.stdout.write(`\n── ${group}\n`);
      results.push(
        await runGroup(group, { root: projectDir, node, env, scratch, files: plan.files, signal }),
      );
      signal.throwIfAborted();
    }
    return report(sumUp(results));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Sets the two runtimes up without adopting a server of the user's: tests start their own. */
async function runtimes({ place, manifest, signal }) {
  const onEvent = eventPrinter(process.stdout, { json: false });
  const adopt = false;
  const events = await setUpRuntimes({
    parts: ['mlx', 'ollama'],
    place,
    manifest,
    allowPackages: true,
    adopt,
    onEvent,
    signal,
  });
  signal.throwIfAborted();
  const pathOf = (part) => events.find((event) => event.part === part && event.stage === 'ready')?.path;
  return { mlxPython: pathOf('mlx'), ollama: pathOf('ollama') };
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
    process.exitCode = signals.exitCode ?? (error instanceof UsageError ? 2 : 1);
    if (signals.exitCode !== undefined) return;
    process.stderr.write(`${[error.message, error.cure].filter(Boolean).join('\n')}\n`);
    // Nothing ran, and that is one failure: whoever reads only the last line must not take it for a success.
    if (process.exitCode === 1) process.stdout.write('0 passed, 1 failed, 0 skipped\n');
  },
);
