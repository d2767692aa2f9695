import { join } from 'node:path';
import type { BackendId } from '../../shared/domain';
import { own } from '../../shared/own';
import { SETTINGS } from '../../shared/settings';
import type { Backend } from '../backends/backend';
import type { Locate } from '../backends/locate';
import { patientLimits } from '../backends/mlx/hang-limits';
import { MlxBackend } from '../backends/mlx/mlx-backend';
import type { MlxBackendOptions } from '../backends/mlx/mlx-options';
import { OllamaBackend } from '../backends/ollama/ollama-backend';
import { OLLAMA_DEFAULT_URL } from '../backends/ollama/ollama-options';
import { OpenAiBackend } from '../backends/openai/openai-backend';
import { BackendRegistry } from '../backends/registry';
import { patientStreamLimits, type StreamLimits } from '../backends/watch/stream-limits';
import type { Incidents } from '../incidents/incidents';
import type { MemoryGate } from '../memory/memory-gate';
import { startLimits, wiredBytes } from '../memory/start-limits';
import type { MlxLibrary } from '../models/mlx-library';
import { billionsFromName } from '../models/model-folder';
import { wantedPreload } from '../models/preload';
import { findPortHolder } from '../ports/port-holder';
import { NO_REQUIREMENTS, pickModel, pickSmaller } from '../router/model-pick';
import type { RouteSnapshot } from '../router/types';
import { locateRuntime } from '../setup/locate-runtime';
import type { SetupRunner } from '../setup/setup-runner';
import type { SettingsStore } from '../store/settings-store';
import { restartLimits } from '../supervisor/limits';
import { estimateFor, loadTimeoutMs } from '../times/estimates';
import type { MeasuredTimes } from '../times/measured-times';
import { type BackendRow, instanceOf, isUnusable, settingOf } from './backend-rows';
import type { CorePorts } from './core-types';
import type { Place } from './place';

/** What the backends need while they run. */
export interface BackendNeeds {
  settings: SettingsStore;
  setup: SetupRunner;
  mlxModels: MlxLibrary;
  measured: MeasuredTimes;
  incidents: Incidents;
  /** Both depend on the backends, so they are created after them. */
  later: { gate(): MemoryGate; snapshot(): RouteSnapshot };
}

type Adapter = (row: BackendRow, ports: CorePorts, place: Place, needs: BackendNeeds) => Backend;
/** The adapters by kind. A new kind is a folder in `backends/` and a line in `KINDS`. */
export type Adapters = Readonly<Record<string, Adapter>>;
export const KINDS = { mlx: createMlx, ollama: createOllama, openai: createOpenAi } satisfies Adapters;

/**
 * Creates the backends and connects them to the services they need. `modelHost` is the Ollama in which models are
 * created and to which they are downloaded.
 */
export function createBackends(
  rows: readonly BackendRow[],
  adapters: Adapters,
  ...given: [CorePorts, Place, BackendNeeds]
): { registry: BackendRegistry; modelHost: OllamaBackend } {
  const registry = new BackendRegistry(rows.flatMap((row) => own(adapters, row.kind)?.(row, ...given) ?? []));
  const modelHost = registry.get('ollama');
  if (!(modelHost instanceof OllamaBackend)) throw new RangeError('no Ollama in this run');
  return { registry, modelHost };
}

function common({ post, fetcher }: CorePorts, { env, instanceId }: Place, { settings }: BackendNeeds) {
  const limits = () => restartLimits(settings.values().restartBackoffS, settings.values().restartStableS);
  return { env, fetcher, post, instanceId, limits };
}

function stepsOf({ measured }: BackendNeeds, backend: BackendId) {
  return {
    slowestMs: (name: string) => measured.slowestStepMs({ backend, name }),
    onStep: (name: string, ms: number) => measured.learnStep({ backend, name }, ms),
  };
}

function createOllama(row: BackendRow, ports: CorePorts, place: Place, needs: BackendNeeds): OllamaBackend {
  const { settings } = needs;
  const backend = row.id;
  return new OllamaBackend(
    {
      ...common(ports, place, needs),
      ...(row.address ?? { url: null }),
      instance: instanceOf(row),
      setBy: settingOf(row),
      candidates: isUnusable(row, settings)
        ? []
        : [OLLAMA_DEFAULT_URL, place.containerHost.ollama].filter((url) => url !== null),
      locate: locate(needs, row, 'ollama'),
      logFile: join(place.dataDir, 'logs', `${backend}.log`),
      findHolder: findPortHolder,
      stream: streamLimits(needs, backend),
      steps: stepsOf(needs, backend),
    },
    { ...ports, observer: needs.incidents },
  );
}

function createOpenAi(row: BackendRow, ports: CorePorts, place: Place, needs: BackendNeeds): Backend {
  if (row.address === null) throw new RangeError(`the backend ${row.id} has no address`);
  return new OpenAiBackend({
    ...common(ports, place, needs),
    ...row.address,
    instance: instanceOf(row),
    setBy: settingOf(row),
    billionsOf: billionsFromName,
    clock: ports.clock,
    stream: patientStreamLimits(needs.settings.values().hangPatience),
  });
}

function createMlx(row: BackendRow, ports: CorePorts, place: Place, needs: BackendNeeds): MlxBackend {
  return new MlxBackend(
    {
      ...common(ports, place, needs),
      instance: instanceOf(row),
      steps: stepsOf(needs, row.id),
      ...mlxOptions(row, ports, place, needs),
    },
    { ...ports, observer: needs.incidents },
  );
}

function streamLimits({ settings, measured }: BackendNeeds, backend: BackendId): Partial<StreamLimits> {
  const estimates = () => settings.values().modelTimeEstimates;
  return {
    ...patientStreamLimits(settings.values().hangPatience),
    loadTimeoutMs: (name) => loadTimeoutMs({ backend, name }, estimates(), measured),
    prefillMs: (name, tokens) => {
      const { prefillPer1k, margin } = estimateFor(name, estimates(), measured.slowOf({ backend, name }));
      return tokens * prefillPer1k + margin * 1000;
    },
  };
}

/** Locates the program of our own server. It must not start if the configured address is unusable. */
function locate(
  { settings, setup }: BackendNeeds,
  { addressSetting: key }: Pick<BackendRow, 'addressSetting'>,
  program: 'mlx' | 'ollama',
): Locate {
  if (key === undefined || !settings.isUnusable(key)) return locateRuntime(setup, program);
  const name = SETTINGS[key].env;
  const cure = `${name} (or ${key} in the settings) holds an address that cannot be used. Correct it to one such as http://127.0.0.1:11434, or unset it, then start Tandem again.`;
  return async () => ({ absent: { code: 'address_invalid', cure, details: { name } } });
}

function mlxOptions(
  { id: backend, ...row }: BackendRow,
  ports: CorePorts,
  place: Place,
  needs: BackendNeeds,
) {
  const { settings, mlxModels, measured, incidents, later } = needs;
  const values = () => settings.values();
  return {
    locate: locateMlx(needs, row),
    launchScript: join(place.resourcesDir, 'mlx', 'launch.py'),
    preload: async () => {
      settings.markApplied('mlx-restart');
      return preloadFolder(needs, backend);
    },
    mayPreload: (name) => later.gate().mayPreload(backend, name),
    resolveModel: (name) => mlxModels.resolve(name),
    modelFacts: (folder) => mlxModels.factsOf(folder),
    listModels: (signal) => mlxModels.list(signal),
    maxConcurrent: () => values().mlxMaxConcurrent,
    memoryLimits: async () => {
      const ledger = await later.gate().freshLedger();
      if (ledger === null) return null;
      return {
        ...startLimits(ledger),
        wiredBytes: wiredBytes(values().mlxWiredPercent, ledger.totalBytes),
      };
    },
    hang: patientLimits(values().hangPatience),
    // Ollama takes all requests meanwhile, so MLX may start late but always starts.
    mayStart: async (signal, cause, model) => {
      const died = cause === 'out_of_memory' || cause === 'killed_by_os';
      await later.gate().back(backend, died ? model : null, signal);
    },
    ladder: {
      file: { store: ports.files, path: join(place.dataDir, 'mlx-ladder.json') },
      smallerModel: (name) => pickSmaller(backend, name, later.snapshot())?.name ?? null,
      onRung: (facts) => incidents.onMoment(backend, { type: 'rung', cause: null, facts }),
    },
    onLoaded: (name, seconds) => measured.learnLoad({ backend, name }, seconds),
    isHeavy: (name) => {
      const model = later.snapshot().models.find((known) => known.backend === backend && known.name === name);
      return model?.weight === 'heavy' || model?.weight === 'unknown';
    },
  } satisfies Partial<MlxBackendOptions>;
}

/** Locates MLX's program. While there is no model to load, MLX waits for the small model, if it is wanted. */
function locateMlx(needs: BackendNeeds, row: Pick<BackendRow, 'addressSetting'>): Locate {
  const { settings, setup, mlxModels } = needs;
  const locateProgram = locate(needs, row, 'mlx');
  return async () => {
    const found = await locateProgram();
    if ('absent' in found || (await mlxModels.hasAny())) return found;
    const part = setup.part('model');
    if (settings.values().smallModel && !setup.isSettled('model')) {
      const cure = 'Its first model is being fetched; Status shows the progress.';
      return { absent: { code: 'setup', cure, setup: true } };
    }
    const why = part?.stage === 'ready' ? '' : ` ${part?.cure ?? ''}`;
    const cure = `MLX has no model to load. Put one into a model folder, or get the small one in Settings.${why}`;
    return { absent: { code: 'no_model', cure: cure.trim() } };
  };
}

/** The model that MLX preloads; null = none. */
async function preloadFolder({ settings, mlxModels, later }: BackendNeeds, backend: BackendId) {
  const wanted = wantedPreload(settings.values());
  if (wanted.kind === 'nothing') return null;
  const picked =
    wanted.kind === 'model' ? wanted : pickModel(backend, wanted.category, later.snapshot(), NO_REQUIREMENTS);
  return mlxModels.preload(picked?.name ?? null);
}
