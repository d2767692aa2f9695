import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runAll } from '../../bench/memory/run-all';

const ROOT = resolve(import.meta.dirname, '..', '..', '..');
const IMPORT = /(?:from|import)\s*\(?\s*'(\.[^']+)'/g;

/** All files that these files import, directly or indirectly, including themselves. */
function reachedFrom(files: readonly string[]): Set<string> {
  const reached = new Set<string>();
  const open = [...files];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      const target = resolve(dirname(file), name);
      open.push(target.endsWith('.ts') ? target : `${target}.ts`);
    }
  }
  return reached;
}

describe('simulated Macs', () => {
  it('hide their parameters from ledger, guard and supervisor', () => {
    const rooms = ['memory', 'supervisor'].map((room) => join(ROOT, 'src', 'main', room));
    const files = rooms.flatMap((room) =>
      readdirSync(room)
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(room, name)),
    );
    const reached = reachedFrom(files);
    const parameters = join(ROOT, 'test', 'bench', 'memory', 'published-macs.ts');
    expect(reached.has(parameters)).toBe(false);
    expect([...reached].filter((file) => file.startsWith(join(ROOT, 'test')))).toEqual([]);
    // Checks that the search would find it.
    expect(reachedFrom([join(ROOT, 'test', 'bench', 'memory', 'world.ts')]).has(parameters)).toBe(true);
  });

  it('run the guard from the modules of the app', () => {
    const reached = reachedFrom([join(ROOT, 'test', 'bench', 'memory', 'run-all.ts')]);
    for (const file of ['memory/ledger.ts', 'memory/guard.ts', 'supervisor/transitions.ts']) {
      expect(reached.has(join(ROOT, 'src', 'main', file))).toBe(true);
    }
  });

  it('die without the guard and survive with it, the same in each run', () => {
    const results = runAll(1, 10);
    const sum = (of: (result: (typeof results)[number]) => number) =>
      results.reduce((total, result) => total + of(result), 0);
    expect(sum(({ unguarded }) => unguarded.aborts)).toBeGreaterThan(20);
    expect(sum(({ guarded }) => guarded.aborts)).toBe(0);
    expect(sum(({ guarded }) => guarded.tokens)).toBeGreaterThan(sum(({ unguarded }) => unguarded.tokens));
    expect(runAll(1, 10)).toEqual(results);
  });
});
