import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { assemble } from '../../../src/main/core/assemble';
import { type BuiltEntry, buildStoreWorker } from '../../support/build-worker';
import { tempDir } from '../../support/temp-dir';

let worker: BuiltEntry;
beforeAll(async () => {
  worker = await buildStoreWorker();
});
afterAll(() => worker.remove());

const listeners = () => [process.listenerCount('exit'), process.listenerCount('unhandledRejection')];

it('holds the data folder until it is closed, and leaves nothing open when it fails', async () => {
  const dataDir = join(tempDir(), 'data');
  const open = (storeWorker = worker.url) =>
    assemble({
      ...{ host: 'headless', version: '1.0.0', locale: 'en-GB', resourcesDir: 'resources', dataDir },
      ...{
        storeWorker,
        node: process.execPath,
        scanScript: 'scan.js',
        systemPackages: false,
        json: true,
        cipher: null,
      },
      shell: {
        openExternal: async () => {},
        showFolder: async () => {},
        hideWindow: () => {},
        quit: () => {},
      },
    });
  const before = listeners();
  const first = await open();
  const opened = listeners();
  await expect(open()).rejects.toMatchObject({ code: 'data_dir_locked' });
  expect(listeners()).toEqual(opened);
  await Promise.all([first.close(), first.close()]);
  expect(listeners()).toEqual(before);
  await expect(open(new URL('missing.js', worker.url))).rejects.toMatchObject({
    code: 'database_unreadable',
  });
  expect(listeners()).toEqual(before);
  const next = await open();
  expect(next.webToken).toBe(first.webToken);
  await next.close();
});
