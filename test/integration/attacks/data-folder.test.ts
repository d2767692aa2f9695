import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { cleanEnvironment, NO_SERVERS, startApp } from '../../support/app';
import { spawnHost } from '../../support/host-process';
import { tempDir } from '../../support/temp-dir';

/** A data folder that contains files of other programs. On the built host and the real set-up. */

const START = resolve(import.meta.dirname, '../../../resources/setup/start.js');
const FOREIGN = ['thesis.tmp', 'project/b.tmp', 'settings.json.mine', 'logs/access.log'];

function addForeign(folder: string): void {
  for (const file of FOREIGN) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), 'theirs');
  }
}

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
const modeOf = (path: string) => statSync(path).mode & 0o777;

/** `npm start -- --uninstall --yes` with its own runtime folder, so that it finds nothing else. */
function uninstall(dataDir: string) {
  const env = cleanEnvironment(dataDir, { TANDEM_RUNTIME_DIR: join(dataDir, 'no-runtimes'), HOME: dataDir });
  return spawnSync(process.execPath, [START, '--uninstall', '--yes'], { env, encoding: 'utf8' });
}

it('of another program is rejected by name, and neither the start nor an uninstall changes it', async () => {
  const folder = join(tempDir(), 'theirs');
  addForeign(folder);
  chmodSync(folder, 0o755);
  const host = spawnHost({ dataDir: folder, env: NO_SERVERS });
  expect(await host.ended).toMatchObject({ code: 1 });
  expect(host.stderr()).toMatch(/^data_dir_foreign: .*(thesis|project|settings|logs).*--data-dir/m);
  const { status, stdout } = uninstall(folder);
  expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(/nothing to remove/) });
  expect(filesIn(folder)).toEqual([...FOREIGN].sort());
  expect(modeOf(folder)).toBe(0o755);
});

it('of ours with foreign files keeps them through starts, kill -9 and an uninstall', async () => {
  const folder = join(tempDir(), 'ours');
  mkdirSync(folder);
  const first = await startApp({ dataDir: folder, env: NO_SERVERS });
  addForeign(folder);
  await first.kill();
  const second = await startApp({ dataDir: folder, env: NO_SERVERS });
  expect(filesIn(folder)).toEqual(expect.arrayContaining([...FOREIGN, '.tandem-data', 'tandem.db']));
  expect(modeOf(join(folder, 'thesis.tmp'))).not.toBe(0o600);
  const busy = uninstall(folder);
  expect({ status: busy.status, stderr: busy.stderr }).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/Tandem is running/),
  });
  await second.stop();

  const { status, stdout } = uninstall(folder);
  expect(status).toBe(0);
  for (const name of FOREIGN) expect(stdout).not.toContain(name);
  expect(filesIn(folder)).toEqual([...FOREIGN].sort());
});
