import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/main/ports/clock';
import { silentLogger } from '../../src/main/ports/logger';
import { createProcessTable } from '../../src/main/ports/node-process-table';
import { ChildRecords, sweepOrphans } from '../../src/main/supervisor/sweep';
import { buildEntry } from '../support/build-worker';
import { killAfter } from '../support/kill-after';
import { TINY, writeRandomModel } from '../support/random-model';
import { LAUNCH_SCRIPT, mlxPython, ollamaProgram } from '../support/runtimes';
import { tempDir } from '../support/temp-dir';

test('the next start ends the processes that a killed host left behind', async () => {
  const folder = tempDir();
  const table = createProcessTable();
  const model = await writeRandomModel(join(folder, 'tiny'), TINY);
  const host = await buildEntry('test/support/orphan-host.ts');
  try {
    const args = [fileURLToPath(host.url), folder, mlxPython(), ollamaProgram(), model, LAUNCH_SCRIPT];
    const [mlx, ollama] = JSON.parse(await killAfter(1, args)) as [number, number];
    // Ollama logs to a file and does not notice; MLX's launcher sees its stdin close and exits.
    expect(await table.identify(ollama)).not.toBeNull();
    const recorded = JSON.parse(await readFile(join(folder, 'children.json'), 'utf8')).children;
    expect(recorded.map(({ kind }: { kind: string }) => kind).sort()).toEqual(['mlx', 'ollama']);

    const ports = { table, clock: systemClock, logger: silentLogger };
    expect(await sweepOrphans(new ChildRecords(join(folder, 'children.json')), ports)).toBeGreaterThan(0);
    expect([await table.identify(mlx), await table.identify(ollama)]).toEqual([null, null]);
    expect(JSON.parse(await readFile(join(folder, 'children.json'), 'utf8')).children).toEqual([]);
  } finally {
    await host.remove();
  }
});
