import { systemClock } from '../../src/main/ports/clock';
import { nodeFileStore } from '../../src/main/ports/file-store';
import { openSettings } from '../../src/main/store/settings-store';

/** A child process that changes one setting in an endless loop and prints each value once it is saved. */
const [dataDir = ''] = process.argv.slice(2);
const settings = await openSettings({
  dataDir,
  env: {},
  files: nodeFileStore,
  clock: systemClock,
  isFolder: async () => true,
});
for (let value = 1; ; value += 1) {
  await settings.set('rateLimitMax', value);
  process.stdout.write(`${value}\n`);
}
