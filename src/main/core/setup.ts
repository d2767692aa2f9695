import { join } from 'node:path';
import { type BackendId, SMALL_MODEL_NAME } from '../../shared/domain';
import { SETUP_PARTS } from '../../shared/status';
import type { MlxBackend } from '../backends/mlx/mlx-backend';
import type { RemoteMlxBackend } from '../backends/mlx/remote-mlx-backend';
import type { OllamaBackend } from '../backends/ollama/ollama-backend';
import { SmallModel } from '../models/small-model';
import { SmallModelInstaller } from '../models/small-model-installer';
import type { ServerAddress } from '../ports/server-address';
import { RuntimeMarks } from '../setup/runtime-marks';
import { removeSmallModel } from '../setup/runtimes';
import { SetupRunner } from '../setup/setup-runner';
import type { SettingsStore } from '../store/settings-store';
import { ADDRESS_OF } from './backends';
import type { CorePorts } from './core-types';
import type { Place } from './place';
import { hasUseForSmallModel, isWanted } from './route-facts';

export interface Setup {
  setup: SetupRunner;
  runtimeMarks: RuntimeMarks;
  /** A path in the small model's folder; null until set-up has downloaded it. */
  smallFile: (name: 'mlx' | 'model.gguf') => string | null;
}

/** Creates the set-up of runtimes and small model, and the marks of the runtimes that this instance uses. */
export function createSetup(
  { spawner, table, logger }: Pick<CorePorts, 'spawner' | 'table' | 'logger'>,
  place: Place,
  settings: SettingsStore,
  named: Record<BackendId, ServerAddress | null>,
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
      MLX_API_URL: named.mlx?.url ?? '',
      OLLAMA_API_URL: named.ollama?.url ?? '',
    },
    wanted: () => {
      const values = settings.values();
      return SETUP_PARTS.filter(
        (part) =>
          isWanted(part, values) &&
          (part === 'model' ? hasUseForSmallModel(values, named) : !settings.isUnusable(ADDRESS_OF[part])),
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
  return { setup, runtimeMarks, smallFile: (name) => smallFolder && join(smallFolder, name) };
}

/** Creates the services that keep the small model in both servers as the settings say. */
export function createSmallModel(
  { logger }: Pick<CorePorts, 'logger'>,
  place: Place,
  settings: SettingsStore,
  { setup, runtimeMarks, smallFile }: Setup,
  servers: { mlx: MlxBackend | RemoteMlxBackend; ollama: OllamaBackend; rescan: () => Promise<void> },
): { smallModel: SmallModel; smallModelInOllama: SmallModelInstaller } {
  const { mlx, ollama, rescan } = servers;
  const smallModelInOllama = new SmallModelInstaller({
    host: ollama,
    resourcesDir: place.resourcesDir,
    consent: () => settings.values().smallModelInAdopted,
    wanted: () => settings.values().smallModel,
    gguf: () => smallFile('model.gguf'),
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
      const { model, state } = mlx.status();
      // A starting MLX may be loading the small model and would fail when its files are deleted.
      const holds = model === SMALL_MODEL_NAME || state === 'starting';
      if (holds) await mlx.stop();
      try {
        await work();
        await rescan();
      } finally {
        // It starts again if it has another model.
        if (holds) await mlx.start();
      }
    },
    logger,
  });
  return { smallModel, smallModelInOllama };
}
