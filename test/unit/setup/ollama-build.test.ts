import { describe, expect, it } from 'vitest';
import { wholeProgress } from '../../../resources/setup/lib/ollama-build.js';
import { stepProgress } from '../../../resources/setup/lib/ollama-llama.js';

describe('the progress of the build', () => {
  it('is parsed from Ninja, which counts the remaining steps', () => {
    const fresh = stepProgress(0);
    expect(fresh('[84/336] Building CXX object src/llama.cpp.o')).toBe(0.25);
    expect(fresh('[336/336] Linking CXX executable bin/llama-server')).toBe(1);
    expect(stepProgress(252)('[42/84] Building CXX object src/llama.cpp.o')).toBe(0.875);
  });

  it('is parsed from Make, which prints the percentage of the whole', () => {
    const progress = stepProgress(0);
    expect(progress('[  7%] Building CXX object src/llama.cpp.o')).toBe(0.07);
    expect(progress('[100%] Built target llama-server')).toBe(1);
  });

  it('is not taken from compiler output', () => {
    const progress = stepProgress(0);
    for (const line of [
      '[0/2] Re-checking globbed directories...',
      '[1/2] Re-running CMake...',
      'server.cpp:12:3: warning: unused',
      'FAILED: [code=1] a.o',
      '[0/2 of it',
      'In file [1/2]',
    ])
      expect(progress(line)).toBeUndefined();
  });

  it('weights each step, reports each percent once and never decreases', () => {
    const told: number[] = [];
    const tell = wholeProgress({ fetch: 10, compile: 90 }, (percent) => told.push(percent));
    tell('fetch', 0.5);
    tell('fetch', 0.2);
    tell('fetch', 1);
    tell('compile', 0.5);
    tell('compile', 0.501);
    tell('compile', 2);
    expect(told).toEqual([4, 9, 53, 97]);
  });
});
