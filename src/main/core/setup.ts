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
import type { Place } from './place';
import { hasUseForSmallModel, isWanted } from './route-facts';
import type { CorePorts } from './services';

export interface Setup {
  setup: SetupRunner;
  runtimeMarks: RuntimeMarks;
  /** A path in the small model's folder; null until the set-up has fetched it. */
  smallFile: (name: 'mlx' | 'model.gguf') => string | null;
}

/** The set-up of runtimes and small model, and the marks of what this instance uses of them. */
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
    // The addresses in force: one from the settings file is not in the environment, and one that was not understood must
    // not mislead it. It does not call them, so it gets no password.
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
  // Kept over a set-up that looks again, so that the models do not vanish meanwhile.
  let smallFolder: string | null = null;
  setup.onSettled(({ part, path, code }) => {
    if (part !== 'model') return;
    // A run that ends without it (cancelled, offline) leaves on disk what an earlier one has brought.
    if (path !== undefined || code === 'runtime_removed') smallFolder = path ?? null;
  });
  const runtimeMarks = new RuntimeMarks({ runtimeDir: place.runtimeDir, table, pid: process.pid, logger });
  setup.onProgress(({ path }) => path && void runtimeMarks.use([path]));
  return { setup, runtimeMarks, smallFile: (name) => smallFolder && join(smallFolder, name) };
}

/** The small model in both servers, as the settings want it. */
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
      // One that starts may be loading it, and would fail in the midst of its files.
      const holds = model === SMALL_MODEL_NAME || state === 'starting';
      if (holds) await mlx.stop();
      try {
        await work();
        await rescan();
      } finally {
        // It comes up again when it has another one.
        if (holds) await mlx.start();
      }
    },
    logger,
  });
  return { smallModel, smallModelInOllama };
}
