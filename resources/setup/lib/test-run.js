import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { readStamp } from './stamp.js';

/**
 * @typedef {object} TestResult
 * @property {string} file
 * @property {string} name
 * @property {'passed' | 'failed' | 'skipped' | 'pending'} state
 * @property {number} durationMs
 * @property {string} [note] why it was skipped
 * @property {string} [error]
 *
 * @typedef {object} GroupResult
 * @property {string} group
 * @property {TestResult[]} tests
 * @property {number} elapsedMs
 */

/**
 * Time limit for a group, in minutes, so that a hang of the runner itself is ended and reported;
 * `test/support/watched-worker.ts` ends a hung test file. Many times what the slowest machine needs.
 */
const limitMinutes = { types: 20, lint: 20, unit: 60, integration: 120, ui: 60 };

/** Command line of a group that is a single check. */
function checkCommand(group, { root, node }) {
  const script = (...parts) => join(root, 'node_modules', ...parts);
  if (group === 'types') return [node, script('typescript', 'bin', 'tsc'), '-p', 'tsconfig.json', '--noEmit'];
  return [node, script('@biomejs', 'biome', 'bin', 'biome'), 'check', '.'];
}

function vitestCommand(group, { root, node, files }) {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=./resources/setup/lib/vitest-results.js'];
  const config = ['--config', 'test/vitest.config.ts', '--project', group, '--passWithNoTests'];
  return [node, vitest, 'run', ...config, ...reporters, ...files];
}

/**
 * Runs a command with our output in its own process group, and then ends the rest of the group.
 *
 * @returns {Promise<{ code: number | null, timedOut: boolean }>}
 */
function runAttached([command, ...args], { root, env, minutes, signal }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const kill = (name) => {
      try {
        process.kill(-child.pid, name);
      } catch {
        // the group is empty
      }
    };
    let timedOut = false;
    let last;
    const end = () => {
      kill('SIGTERM');
      last = setTimeout(() => kill('SIGKILL'), 5000);
    };
    const expire = () => {
      timedOut = true;
      end();
    };
    const limit = setTimeout(expire, minutes * 60_000);
    signal.addEventListener('abort', end, { once: true });
    child.on('error', reject);
    child.on('exit', (code) => {
      clearTimeout(limit);
      clearTimeout(last);
      signal.removeEventListener('abort', end);
      kill('SIGKILL');
      resolve({ code, timedOut });
    });
  });
}

/**
 * Runs one group. Types and lint count as one test each; a vitest that crashed or was killed counts as a failed test.
 *
 * @param {string} group
 * @param {object} job
 * @param {string} job.root
 * @param {string} job.node
 * @param {Record<string, string | undefined>} job.env
 * @param {string} job.scratch a folder for the results file and compiled code
 * @param {string[]} job.files filters
 * @param {AbortSignal} job.signal
 * @returns {Promise<GroupResult>}
 */
export async function runGroup(group, job) {
  const started = Date.now();
  const minutes = limitMinutes[group];
  const resultsFile = join(job.scratch, `${group}.json`);
  const isCheck = group === 'types' || group === 'lint';
  const command = isCheck ? checkCommand(group, job) : vitestCommand(group, job);
  // The program is compiled once for the many tests that start it.
  const compiled = { NODE_COMPILE_CACHE: join(job.scratch, 'compiled') };
  const env = { ...job.env, ...compiled, TANDEM_TEST_RESULTS: resultsFile };
  const { code, timedOut } = await runAttached(command, { root: job.root, env, minutes, signal: job.signal });
  const elapsedMs = Date.now() - started;
  const ended = timedOut ? `ended after ${minutes} minutes` : `ended with code ${code}`;
  const whole = (state, error) => wholeGroup(group, state, elapsedMs, error);
  if (!isCheck)
    return { group, elapsedMs, tests: vitestTests(readStamp(resultsFile), { code, ended, whole }) };
  return { group, elapsedMs, tests: [code === 0 ? whole('passed') : whole('failed', ended)] };
}

/**
 * One result for a whole group.
 *
 * @param {string} group
 * @param {'passed' | 'failed'} state
 * @param {number} durationMs
 * @param {string} [error]
 * @returns {TestResult}
 */
export function wholeGroup(group, state, durationMs, error) {
  return { file: '', name: group, state, durationMs, error };
}

/**
 * vitest's results, plus one failure for each error outside a test.
 *
 * @param {{ tests: TestResult[], errors: { file: string, message: string }[] } | undefined} results undefined: it crashed
 * @param {object} end
 * @param {number | null} end.code
 * @param {string} end.ended how it ended, in words
 * @param {(state: 'passed' | 'failed', error?: string) => TestResult} end.whole
 * @returns {TestResult[]}
 */
export function vitestTests(results, { code, ended, whole }) {
  if (!results) return [whole('failed', `vitest ${ended} before it had results`)];
  const outside = results.errors.map(({ file, message }) => ({
    ...whole('failed', message),
    file,
    name: 'outside a test',
  }));
  const tests = [...results.tests, ...outside];
  const explains = code === 0 || tests.some((test) => test.state === 'failed');
  return explains ? tests : [...tests, whole('failed', `vitest ${ended}, and no test had failed`)];
}
