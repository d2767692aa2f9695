/**
 * Sums up the groups. A test that never ran (`pending`) counts as failed unless it was skipped on purpose.
 *
 * @param {import('./test-run.js').GroupResult[]} groups
 */
export function sumUp(groups) {
  const tests = groups.flatMap(({ group, tests: own }) => own.map((test) => ({ group, ...test })));
  const having = (...states) => tests.filter((test) => states.includes(test.state));
  const failures = having('failed', 'pending');
  const skips = having('skipped');
  return {
    groups: groups.map(({ group, elapsedMs }) => ({ group, elapsedMs })),
    passed: having('passed').length,
    failed: failures.length,
    skipped: skips.length,
    failures,
    skips,
    slowest: tests
      .filter((test) => test.file !== '')
      .sort((a, b) => b.durationMs - a.durationMs)
      .slice(0, 10),
  };
}

const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
const title = ({ group, file, name }) =>
  [group, file, name === group ? '' : name].filter(Boolean).join(' › ');

/**
 * Lines before the closing line: time per group, the slowest ten, why tests were skipped, what failed.
 *
 * @param {ReturnType<typeof sumUp>} sum
 * @returns {string[]}
 */
export function detailLines(sum) {
  const section = (heading, lines) =>
    lines.length > 0 ? [heading, ...lines.map((line) => `  ${line}`), ''] : [];
  const reason = (text) => (text ? `: ${text.split('\n')[0]}` : '');
  return [
    ...section(
      'Time',
      sum.groups.map(({ group, elapsedMs }) => `${seconds(elapsedMs).padStart(8)}  ${group}`),
    ),
    ...section(
      'Slowest tests',
      sum.slowest.map((test) => `${seconds(test.durationMs).padStart(8)}  ${title(test)}`),
    ),
    ...section(
      'Skipped',
      sum.skips.map((test) => `${title(test)}${reason(test.note ?? 'no reason given')}`),
    ),
    ...section(
      'Failed',
      sum.failures.map((test) => `${title(test)}${reason(test.error)}`),
    ),
  ];
}

/** The last line of a test run. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
