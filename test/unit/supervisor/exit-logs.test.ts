import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mlxExitCode } from '../../../src/main/backends/mlx/launch-spec';
import {
  type EvidenceCode,
  evidenceIn,
  MLX_LINES,
  OLLAMA_LINES,
} from '../../../src/main/supervisor/evidence-lines';
import { exitCause } from '../../../src/main/supervisor/exit-cause';
import type { ExitCause } from '../../../src/shared/incidents';

interface Words {
  name: string;
  source: string;
  lines: string[];
  exit: { code: number | null; signal: NodeJS.Signals | null };
  exitFrom: 'source' | 'launcher' | 'assumed';
  pressure?: 'critical';
  stalled?: true;
  killerInFlight?: true;
  evidence: string[];
  cause: ExitCause;
}

function corpus(name: string): Words[] {
  const file = join(import.meta.dirname, '../../fixtures/exit-logs', `${name}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Words[];
}

const causeOf = (words: Words, lines: EvidenceCode[], named: ExitCause | null) =>
  exitCause({
    exit: words.exit,
    named,
    lines,
    stalled: words.stalled ?? false,
    overdue: false,
    killerInFlight: words.killerInFlight ?? false,
    pressure: words.pressure ?? 'unknown',
  });

describe('the last log lines of', () => {
  it.each(corpus('mlx').map((words) => [words.name, words] as const))('MLX: %s', (_name, words) => {
    const lines = evidenceIn(words.lines, MLX_LINES);
    expect(lines).toEqual(words.evidence);
    expect(causeOf(words, lines, mlxExitCode(words.exit.code))).toBe(words.cause);
  });

  it.each(corpus('ollama').map((words) => [words.name, words] as const))('Ollama: %s', (_name, words) => {
    const lines = evidenceIn(words.lines, OLLAMA_LINES);
    expect(lines).toEqual(words.evidence);
    expect(causeOf(words, lines, null)).toBe(words.cause);
  });
});

it('every entry names its source', () => {
  for (const { name, source } of [...corpus('mlx'), ...corpus('ollama')]) {
    expect(source, name).toMatch(/^(https:\/\/\S+\/(issues|pull)\/\d+|observed: .+|synthetic)$/);
  }
});
