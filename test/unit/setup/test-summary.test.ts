import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../resources/setup/lib/options.js';
import { testEnvironment } from '../../../resources/setup/lib/test-environment.js';
import { needsServers, testPlan } from '../../../resources/setup/lib/test-plan.js';
import { vitestTests, wholeGroup } from '../../../resources/setup/lib/test-run.js';
import { closingLine, detailLines, sumUp } from '../../../resources/setup/lib/test-summary.js';

type State = 'passed' | 'failed' | 'skipped' | 'pending';
const result = (name: string, state: State, more: object = {}) => ({
  file: 'a.test.ts',
  name,
  state,
  durationMs: 1,
  ...more,
});
const group = (name: string, ...tests: ReturnType<typeof result>[]) => ({
  group: name,
  elapsedMs: 1000,
  tests,
});

describe('the closing line of npm test', () => {
  it('counts over all groups, with types and lint as one test each', () => {
    const sum = sumUp([
      group('types', result('types', 'passed', { file: '' })),
      group('lint', result('lint', 'failed', { file: '' })),
      group('unit', result('one', 'passed'), result('two', 'skipped', { note: 'only on macOS' })),
    ]);
    expect(closingLine(sum)).toBe('2 passed, 1 failed, 1 skipped');
    expect(detailLines(sum)).toContain('  unit › a.test.ts › two: only on macOS');
  });

  it('counts a test that never ran as failed', () => {
    expect(closingLine(sumUp([group('unit', result('one', 'pending'))]))).toBe(
      '0 passed, 1 failed, 0 skipped',
    );
  });

  it('names the slowest ten, the slowest first', () => {
    const tests = Array.from({ length: 12 }, (_, i) => result(`test ${i}`, 'passed', { durationMs: i }));
    const { slowest } = sumUp([group('unit', ...tests)]);
    expect(slowest.map((test) => test.durationMs)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
  });
});

describe('the results of a vitest run', () => {
  const whole = (state: 'passed' | 'failed', error?: string) => wholeGroup('unit', state, 1, error);

  it('are a failure when it crashed without results', () => {
    expect(vitestTests(undefined, { code: 1, ended: 'ended with code 1', whole })).toMatchObject([
      { state: 'failed' },
    ]);
  });

  it('are a failure when it failed without a failed test, or with an error outside a test', () => {
    const passed = { tests: [result('one', 'passed')], errors: [] };
    const states = (results: Parameters<typeof vitestTests>[0] & object, code: number) =>
      vitestTests(results, { code, ended: '', whole }).map((test: { state: State }) => test.state);
    expect(states(passed, 0)).toEqual(['passed']);
    expect(states(passed, 1)).toEqual(['passed', 'failed']);
    expect(states({ ...passed, errors: [{ file: 'a.test.ts', message: 'lost' }] }, 1)).toEqual([
      'passed',
      'failed',
    ]);
    expect(states({ tests: [result('one', 'failed')], errors: [] }, 1)).toEqual(['failed']);
  });
});

describe('the plan of a test run', () => {
  it('is everything, or the named groups in their order', () => {
    expect(testPlan([]).groups).toEqual(['types', 'lint', 'unit', 'integration', 'ui']);
    expect(testPlan(['ui', 'unit'])).toEqual({ groups: ['unit', 'ui'], files: [] });
    expect(testPlan(['queue'])).toEqual({ groups: ['unit', 'integration', 'ui'], files: ['queue'] });
    expect(() => testPlan(['--watch'])).toThrow(UsageError);
  });

  it('sets up the servers only for the groups that use them', () => {
    expect(testPlan([]).groups.filter(needsServers)).toEqual(['integration', 'ui']);
  });

  it('hides the app settings of the shell from the tests', () => {
    const env = {
      PATH: '/bin',
      MLX_ONLY_LIGHT: 'false',
      OLLAMA_API_URL: 'http://x',
      TANDEM_DATA_DIR: '/mine',
      TANDEM_RUNTIME_DIR: '/r',
    };
    expect(testEnvironment(env, { mlxPython: '/py', ollama: '/ollama' })).toEqual({
      PATH: '/bin',
      TANDEM_RUNTIME_DIR: '/r',
      TANDEM_MLX_PYTHON: '/py',
      TANDEM_OLLAMA_BIN: '/ollama',
    });
  });
});
