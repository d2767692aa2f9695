import { join } from 'node:path';
import { SMALL_MODEL_NAME } from '../../shared/domain';
import { SETTINGS } from '../../shared/settings';
import { SETUP_PARTS } from '../../shared/status';
import type { Backend } from '../backends/backend';
import { SmallModel } from '../models/small-model';
import { type SmallModelHost, SmallModelInstaller } from '../models/small-model-installer';
import { RuntimeMarks } from '../setup/runtime-marks';
import { removeSmallModel, smallModelIn } from '../setup/runtimes';
import { SetupRunner } from '../setup/setup-runner';
import type { SettingsStore } from '../store/settings-store';
import { type BackendRow, isUnusable } from './backend-rows';
import type { CorePorts } from './core-types';
import type { Place } from './place';
import { hasUseForSmallModel, isWanted } from './route-facts';

export interface Setup {
  setup: SetupRunner;
  runtimeMarks: RuntimeMarks;
  /** The small model as a folder and as one file; null until set-up has downloaded it. */
  small(): { folder: string; gguf: string } | null;
}

/** Creates the set-up of runtimes and small model, and the marks of the runtimes that this instance uses. */
export function createSetup(
  { spawner, table, logger }: Pick<CorePorts, 'spawner' | 'table' | 'logger'>,
  place: Place,
  settings: SettingsStore,
  rows: readonly BackendRow[],
): Setup {
  const setup = new SetupRunner({
    spawner,
    logger,
    node: place.node,
    script: join(place.resourcesDir, 'setup', 'runtimes.js'),
    args: place.systemPackages ? [] : ['--no-system-packages'],
    // The effective addresses: one from the settings file is not in the environment, and an invalid one in the
    // environment must not mislead set-up. Set-up does not call them, so it gets no password.
    env: {
      ...place.env,
      ...Object.fromEntries(
        rows.flatMap(({ addressSetting: key, address }) =>
          key ? [[SETTINGS[key].env, address?.url ?? '']] : [],
        ),
      ),
    },
    wanted: () => {
      const values = settings.values();
      return SETUP_PARTS.filter(
        (part) =>
          isWanted(part, values) &&
          (part === 'model'
            ? hasUseForSmallModel(values, rows)
            : !rows.some((row) => row.id === part && isUnusable(row, settings))),
      );
    },
  });
  // Kept during a new set-up run, so that the models do not disappear meanwhile.
  let smallFolder: string | null = null;
  setup.onSettled(({ part, path, code }) => {
    if (part !== 'model') return;
    // A run that ends without the model (cancelled, offline) leaves an earlier download on disk.
    if (path !== undefined || code === 'runtime_removed') smallFolder = path ?? null;
  });
  const runtimeMarks = new RuntimeMarks({ runtimeDir: place.runtimeDir, table, pid: process.pid, logger });
  setup.onProgress(({ path }) => path && void runtimeMarks.use([path]));
  return { setup, runtimeMarks, small: () => (smallFolder ? smallModelIn(smallFolder) : null) };
}

/** Creates the services that keep the small model in both servers as the settings say. */
export function createSmallModel(
  { logger }: Pick<CorePorts, 'logger'>,
  place: Place,
  settings: SettingsStore,
  { setup, runtimeMarks, small }: Setup,
  servers: { loader: Backend; modelHost: SmallModelHost; rescan: () => Promise<void> },
): { smallModel: SmallModel; smallModelInOllama: SmallModelInstaller } {
  const { loader, modelHost, rescan } = servers;
  const smallModelInOllama = new SmallModelInstaller({
    host: modelHost,
    resourcesDir: place.resourcesDir,
    consent: () => settings.values().smallModelInAdopted,
    wanted: () => settings.values().smallModel,
    gguf: () => small()?.gguf ?? null,
    onChanged: rescan,
    logger,
  });
  const smallModel = new SmallModel({
    async removeFiles() {
      const versions = await removeSmallModel(place.runtimeDir, await runtimeMarks.others());
      for (const folder of versions) await runtimeMarks.forget(folder);
    },
    wanted: () => settings.values().smallModel,
    setWanted: (wanted) => settings.set('smallModel', wanted),
    setup,
    installer: smallModelInOllama,
    async whileMlxIsWithout(work) {
      const { model, state } = loader.status();
      // A starting MLX may be loading the small model and would fail when its files are deleted.
      const holds = model === SMALL_MODEL_NAME || state === 'starting';
      if (holds) await loader.stop();
      try {
        await work();
        await rescan();
      } finally {
        // It starts again if it has another model.
        if (holds) await loader.start();
      }
    },
    logger,
  });
  return { smallModel, smallModelInOllama };
}
