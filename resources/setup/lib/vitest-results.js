import { writeFileSync } from 'node:fs';

/** Name of a test with its suites, as vitest prints it. */
function resultOf(file, test) {
  const { state, errors, note } = test.result();
  const duration = test.diagnostic()?.duration ?? 0;
  return { file, name: test.fullName, state, durationMs: duration, note, error: errors?.[0]?.message };
}

/**
 * A vitest reporter that writes every result, and every error outside a test, as JSON to the file named in
 * `TANDEM_TEST_RESULTS`. Vitest's own JSON lacks the reasons of skipped tests.
 */
export default class ResultsReporter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly { message: string }[]} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    const tests = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => resultOf(module.relativeModuleId, test)),
    );
    const outside = modules.flatMap((module) =>
      module.errors().map((error) => ({ file: module.relativeModuleId, message: error.message })),
    );
    const errors = [...outside, ...unhandled.map((error) => ({ file: '', message: error.message }))];
    writeFileSync(process.env.TANDEM_TEST_RESULTS, JSON.stringify({ tests, errors }));
  }
}
