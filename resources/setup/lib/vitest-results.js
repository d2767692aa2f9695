import { writeFileSync } from 'node:fs';

/** The result of a test; its name includes its suites, as vitest prints it. */
function resultOf(file, test) {
  const { state, errors, note } = test.result();
  const duration = test.diagnostic()?.duration ?? 0;
  const error = state === 'pending' ? 'it did not end' : errors?.[0]?.message;
  return { file, name: test.fullName, state, durationMs: duration, note, error };
}

/** Vitest wraps an error in a worker into its own errors, which do not contain the reason. */
function reasonOf(error) {
  return error.cause ? reasonOf(error.cause) : error.message;
}

/**
 * A vitest reporter that writes every result, and every error outside a test, as JSON to the file named in
 * `TANDEM_TEST_RESULTS`. Vitest's own JSON lacks the reasons of skipped tests.
 */
export default class ResultsReporter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly { message: string, cause?: object }[]} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    const tests = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => resultOf(module.relativeModuleId, test)),
    );
    const outside = modules.flatMap((module) =>
      module.errors().map((error) => ({ file: module.relativeModuleId, message: error.message })),
    );
    const errors = [...outside, ...unhandled.map((error) => ({ file: '', message: reasonOf(error) }))];
    writeFileSync(process.env.TANDEM_TEST_RESULTS, JSON.stringify({ tests, errors }));
  }
}
