import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { projectDir } from '../../../resources/setup/lib/manifest.js';
import { readStamp } from '../../../resources/setup/lib/stamp.js';
import { vitestTests, wholeGroup } from '../../../resources/setup/lib/test-run.js';
import { tempDir } from '../../support/temp-dir';

/** A real Vitest over several files, one of which loops forever. */
async function runHung(limitMs: number) {
  const results = join(tempDir(), 'results.json');
  const vitest = join(projectDir, 'node_modules', 'vitest', 'vitest.mjs');
  const reporter = join(projectDir, 'resources', 'setup', 'lib', 'vitest-results.js');
  const config = join(projectDir, 'test', 'fixtures', 'hung', 'vitest.config.ts');
  const child = spawn(process.execPath, [vitest, 'run', '--config', config, `--reporter=${reporter}`], {
    env: { PATH: process.env.PATH, TANDEM_TEST_RESULTS: results, HUNG_LIMIT_MS: String(limitMs) },
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [code] = await once(child, 'exit');
  return vitestTests(readStamp(results), {
    code,
    ended: `ended with code ${code}`,
    whole: (state, error) => wholeGroup('unit', state, 0, error),
  });
}

it('a file that loops forever is killed and reported by name, and the other files run', async () => {
  const tests = await runHung(8_000);
  expect(tests.map(({ file, name, state, error }) => [file, name, state, error ?? ''])).toEqual([
    ['endless.test.ts', 'loops for ever', 'pending', 'it did not end'],
    ['sound-too.test.ts', 'passes too', 'passed', ''],
    ['sound.test.ts', 'passes', 'passed', ''],
    ['', 'outside a test', 'failed', 'endless.test.ts hung: no progress for 8 s, so it was killed'],
  ]);
});
