import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLogger } from '../../src/main/ports/logger';
import { createProcessTable } from '../../src/main/ports/node-process-table';
import { RuntimeMarks } from '../../src/main/setup/runtime-marks';
import { NO_SERVERS, startApp } from '../support/app';
import { connect } from '../support/contract-client';
import { tempDir } from '../support/temp-dir';

it('does not remove a runtime that another instance uses, until that one has gone', async () => {
  const runtimeDir = tempDir();
  const folder = join(runtimeDir, 'mlx-0.1.0');
  mkdirSync(folder);
  writeFileSync(join(folder, 'tandem-runtime.json'), '{}');
  const ours = { runtimeDir, table: createProcessTable(), pid: process.pid, logger: silentLogger };
  const other = new RuntimeMarks(ours);
  await other.use([join(folder, 'bin', 'python')]);
  const app = await startApp({ env: { ...NO_SERVERS, TANDEM_RUNTIME_DIR: runtimeDir }, args: [] });
  try {
    const ui = await connect(app.ready.web);
    const inUse = async () => (await ui.value('runtimesList', {})).runtimes.map((runtime) => runtime.inUse);
    const remove = () => ui.call('runtimesRemove', { name: 'mlx', version: '0.1.0' });
    expect(await inUse()).toEqual([true]);
    expect(await remove()).toMatchObject({ error: { code: 'runtime_in_use' } });
    expect(existsSync(folder)).toBe(true);
    await other.close();
    expect(await inUse()).toEqual([false]);
    expect(await remove()).toMatchObject({ ok: true });
    expect(existsSync(folder)).toBe(false);
  } finally {
    await app.stop();
    await app.remove();
  }
  expect(readdirSync(runtimeDir).filter((name) => name.startsWith('.in-use'))).toEqual([]);
});
