import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { watchedWorkers } from './support/watched-worker.ts';

const root = resolve(import.meta.dirname, '..');
const MINUTE = 60_000;
const expect = { poll: { timeout: 2 * MINUTE } };
/** Tests of real processes wait for a good part of their time: two files more than cores keep the cores busy. */
const WAITING_WORKERS = availableParallelism() + 2;

/** The longest file begins first, so that nobody waits for it alone in the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLongest = ({ moduleId }: TestSpecification) => moduleId.endsWith('faults-short.test.ts');
    const sorted = await super.sort(files);
    return [...sorted.filter(isLongest), ...sorted.filter((file) => !isLongest(file))];
  }
}

/**
 * Projects run one after the other from `resources/setup/test.js`, each with several files at once. Limits end what hangs; no
 * machine is so slow that a sound test meets them.
 */
export default defineConfig({
  root,
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        root,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/electron/*.test.ts'],
          expect,
          testTimeout: 2 * MINUTE,
          hookTimeout: 2 * MINUTE,
          pool: watchedWorkers(5 * MINUTE),
          maxWorkers: 2,
          // No test leaves anything in a module, and a registry per file would double the time.
          isolate: false,
        },
      },
      {
        root,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          expect,
          testTimeout: 10 * MINUTE,
          hookTimeout: 10 * MINUTE,
          pool: watchedWorkers(30 * MINUTE),
          maxWorkers: WAITING_WORKERS,
        },
      },
      {
        root,
        test: {
          name: 'ui',
          include: ['test/ui/**/*.test.ts', 'test/electron/real/*.test.ts'],
          expect,
          testTimeout: 5 * MINUTE,
          hookTimeout: 5 * MINUTE,
          pool: watchedWorkers(10 * MINUTE),
          maxWorkers: WAITING_WORKERS,
        },
      },
    ],
  },
});
