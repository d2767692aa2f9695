import { join } from 'node:path';
import type { BackendId } from '../../shared/domain';
import { SETTINGS, type SettingKey } from '../../shared/settings';
import type { Locate } from '../backends/locate';
import { patientLimits } from '../backends/mlx/hang-limits';
import { MlxBackend } from '../backends/mlx/mlx-backend';
import type { MlxBackendOptions } from '../backends/mlx/mlx-options';
import { RemoteMlxBackend } from '../backends/mlx/remote-mlx-backend';
import { OllamaBackend } from '../backends/ollama/ollama-backend';
import { OLLAMA_DEFAULT_URL } from '../backends/ollama/ollama-options';
import { patientStreamLimits } from '../backends/ollama/stream-limits';
import type { Incidents } from '../incidents/incidents';
import type { MemoryGate } from '../memory/memory-gate';
import type { MlxLibrary } from '../models/mlx-library';
import type { ModelLibrary } from '../models/model-library';
import { wantedPreload } from '../models/preload';
import { findPortHolder } from '../ports/port-holder';
import type { ServerAddress } from '../ports/server-address';
import { NO_REQUIREMENTS, pickModel, pickSmaller } from '../router/model-pick';
import type { RouteSnapshot } from '../router/types';
import { locateRuntime } from '../setup/locate-runtime';
import type { SetupRunner } from '../setup/setup-runner';
import type { SettingsStore } from '../store/settings-store';
import { restartLimits } from '../supervisor/limits';
import { estimateFor, loadTimeoutMs } from '../times/estimates';
import type { MeasuredTimes } from '../times/measured-times';
import type { CorePorts } from './core-types';
import type { Place } from './place';

/** The setting with the address of a server to use instead of our own. */
export const ADDRESS_OF = { mlx: 'mlxUrl', ollama: 'ollamaUrl' } as const satisfies Record<
  BackendId,
  SettingKey
>;

/** What the backends need while they run. */
export interface BackendNeeds {
  settings: SettingsStore;
  setup: SetupRunner;
  mlxModels: MlxLibrary;
  measured: MeasuredTimes;
  incidents: Incidents;
  /** Addresses of an MLX API and an Ollama that are not ours; null = find a running one, or start our own. */
  named: Record<BackendId, ServerAddress | null>;
  /** Created after the backends, since these depend on the backends too. */
  later: { gate(): MemoryGate; library(): ModelLibrary; snapshot(): RouteSnapshot };
}

/** Creates both backends and connects them to the services they need. */
export function createBackends(
  ports: CorePorts,
  place: Place,
  needs: BackendNeeds,
): { mlx: MlxBackend | RemoteMlxBackend; ollama: OllamaBackend } {
  const { settings, incidents, measured, named } = needs;
  const values = () => settings.values();
  const common = {
    env: place.env,
    fetcher: ports.fetcher,
    post: ports.post,
    instanceId: place.instanceId,
    limits: () => restartLimits(values().restartBackoffS, values().restartStableS),
  };
  const supervision = { ...ports, observer: incidents };
  const steps = (backend: 'mlx' | 'ollama') => ({
    slowestMs: (name: string) => measured.slowestStepMs({ backend, name }),
    onStep: (name: string, ms: number) => measured.learnStep({ backend, name }, ms),
  });
  const stream = patientStreamLimits(values().hangPatience);
  const mlx =
    named.mlx === null
      ? new MlxBackend({ ...common, steps: steps('mlx'), ...mlxOptions(ports, place, needs) }, supervision)
      : new RemoteMlxBackend({ ...common, ...named.mlx, clock: ports.clock, stream });
  const ollama = new OllamaBackend(
    {
      ...common,
      ...(named.ollama ?? { url: null }),
      candidates: settings.isUnusable('ollamaUrl')
        ? []
        : [OLLAMA_DEFAULT_URL, place.containerHost.ollama].filter((url) => url !== null),
      locate: locate(needs, 'ollama'),
      logFile: join(place.dataDir, 'logs', 'ollama.log'),
      findHolder: findPortHolder,
      stream: {
        ...stream,
        loadTimeoutMs: (name) =>
          loadTimeoutMs({ backend: 'ollama', name }, values().modelTimeEstimates, measured),
        prefillMs: (name, tokens) => {
          const known = measured.slowOf({ backend: 'ollama', name });
          const { prefillPer1k, margin } = estimateFor(name, values().modelTimeEstimates, known);
          return tokens * prefillPer1k + margin * 1000;
        },
      },
      steps: steps('ollama'),
    },
    supervision,
  );
  return { mlx, ollama };
}

/** Locates the program of our own server. It must not start if the configured address is unusable. */
function locate({ settings, setup }: BackendNeeds, id: BackendId): Locate {
  const key = ADDRESS_OF[id];
  if (!settings.isUnusable(key)) return locateRuntime(setup, id);
  const name = SETTINGS[key].env;
  const cure = `${name} (or ${key} in the settings) holds an address that cannot be used. Correct it to one such as http://127.0.0.1:11434, or unset it, then start Tandem again.`;
  return async () => ({ absent: { code: 'address_invalid', cure, details: { name } } });
}

function mlxOptions(ports: CorePorts, place: Place, needs: BackendNeeds) {
  const { settings, mlxModels, measured, incidents, later } = needs;
  const values = () => settings.values();
  return {
    locate: locateMlx(needs),
    launchScript: join(place.resourcesDir, 'mlx', 'launch.py'),
    preload: async () => {
      settings.markApplied('mlx');
      return preloadFolder(needs);
    },
    mayPreload: (name) => later.gate().mayPreload('mlx', name),
    resolveModel: (name) => mlxModels.resolve(name),
    modelFacts: (folder) => mlxModels.factsOf(folder),
    listModels: (signal) => mlxModels.list(signal),
    maxConcurrent: () => values().mlxMaxConcurrent,
    hang: patientLimits(values().hangPatience),
    // Ollama takes all requests meanwhile, so MLX may start late but always starts.
    mayStart: async (signal, cause, model) => {
      const died = cause === 'out_of_memory' || cause === 'killed_by_os';
      await later.gate().back('mlx', died ? model : null, signal);
    },
    ladder: {
      file: { store: ports.files, path: join(place.dataDir, 'mlx-ladder.json') },
      smallerModel: (name) => pickSmaller('mlx', name, later.snapshot())?.name ?? null,
      onRung: (facts) => incidents.onMoment('mlx', { type: 'rung', cause: null, facts }),
    },
    onLoaded: (name, seconds) => measured.learnLoad({ backend: 'mlx', name }, seconds),
    isHeavy: (name) => {
      const models = later.library().models();
      const model = models.find((known) => known.backend === 'mlx' && known.name === name);
      return model?.weight === 'heavy' || model?.weight === 'unknown';
    },
  } satisfies Partial<MlxBackendOptions>;
}

/** Locates MLX's program. While there is no model to load, MLX waits for the small model, if it is wanted. */
function locateMlx(needs: BackendNeeds): Locate {
  const { settings, setup, mlxModels } = needs;
  const locateProgram = locate(needs, 'mlx');
  return async () => {
    const found = await locateProgram();
    if ('absent' in found || (await mlxModels.hasAny())) return found;
    const part = setup.part('model');
    if (settings.values().smallModel && !setup.isSettled('model')) {
      const cure = 'Its first model is being fetched; the progress stands in Status.';
      return { absent: { code: 'setup', cure, setup: true } };
    }
    const why = part?.stage === 'ready' ? '' : ` ${part?.cure ?? ''}`;
    const cure = `MLX has no model to load. Put one into a model folder, or get the small one in Settings.${why}`;
    return { absent: { code: 'no_model', cure: cure.trim() } };
  };
}

/** The model that MLX preloads; null = none. */
async function preloadFolder({ settings, mlxModels, later }: BackendNeeds) {
  const wanted = wantedPreload(settings.values());
  if (wanted.kind === 'nothing') return null;
  const picked =
    wanted.kind === 'model' ? wanted : pickModel('mlx', wanted.category, later.snapshot(), NO_REQUIREMENTS);
  return mlxModels.preload(picked?.name ?? null);
}
