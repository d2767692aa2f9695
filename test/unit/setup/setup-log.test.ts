import { expect, it } from 'vitest';
import type { Logger } from '../../../src/main/ports/logger';
import { silentLogger } from '../../../src/main/ports/logger';
import { setupLog } from '../../../src/main/setup/setup-log';

it('reports each stage once, and a long one in fifths', () => {
  const lines: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    info: (event, fields) =>
      lines.push(`${event} ${fields?.stage} ${fields?.percent ?? '-'} ${fields?.seconds}`),
  };
  const tell = setupLog(logger);
  const part = (stage: string, percent: number | null, seconds: number) =>
    tell({ part: 'ollama', stage, detail: '', percent, elapsedMs: seconds * 1000 });
  part('check', null, 0);
  part('build', 1, 2);
  part('build', 7, 10);
  part('build', 41, 60);
  part('build', 44, 62);
  part('ready', 100, 150);
  expect(lines).toEqual([
    'setup.ollama check - 0',
    'setup.ollama build 1 2',
    'setup.ollama build 41 60',
    'setup.ollama ready 100 150',
  ]);
});
