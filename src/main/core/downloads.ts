import { join } from 'node:path';
import { type BackendId, isServing, type ModelInfo } from '../../shared/domain';
import type { Backend } from '../backends/backend';
import { DownloadFile } from '../models/downloads/download-file';
import { DownloadService } from '../models/downloads/download-service';
import { HubSource } from '../models/downloads/hub-source';
import { HubToken } from '../models/downloads/hub-token';
import type { DownloadKey } from '../models/downloads/listed-download';
import { OllamaSource } from '../models/downloads/ollama-source';
import type { DownloadSource, Readiness } from '../models/downloads/source';
import { hasName } from '../models/model-names';
import { createOutsideFetcher } from '../ports/outside-fetcher';
import type { SetupRunner } from '../setup/setup-runner';
import type { CorePorts } from './core-types';
import type { Place } from './place';

/** Creates the downloads: Ollama's own pulls, and models from the hub for the MLX that loads models from disk. */
export function createDownloads(
  { clock, spawner, files, secrets, logger }: CorePorts,
  place: Place,
  options: {
    modelHost: Backend & Pick<DownloadSource, 'pull'>;
    /** The backend that loads models from this disk; null = no MLX of ours does. */
    loader: BackendId | null;
    setup: SetupRunner;
    /** Does the app start this backend? */
    isEnabled(backend: BackendId): boolean;
    models(): readonly ModelInfo[];
  },
): {
  downloads: DownloadService;
  sources: ReadonlyMap<BackendId, DownloadSource>;
  hubToken: HubToken;
} {
  const { modelHost, loader, setup, isEnabled, models } = options;
  const hubToken = new HubToken(secrets, place.env);
  const sources = new Map<BackendId, DownloadSource>();
  sources.set(
    modelHost.instance.id,
    new OllamaSource({
      server: modelHost,
      readiness: () => ollamaReadiness(modelHost, setup, isEnabled(modelHost.instance.id)),
      fetcher: createOutsideFetcher(place.env),
    }),
  );
  const python = () => setup.part('mlx')?.path ?? null;
  if (loader !== null) {
    sources.set(
      loader,
      new HubSource({
        process: { spawner, clock, script: join(place.resourcesDir, 'mlx', 'hub.py'), env: place.env },
        python,
        readiness: () => (python() ? 'ready' : setup.isSettled('mlx') ? 'down' : 'coming'),
        token: () => hubToken.current(),
      }),
    );
  }
  const file = new DownloadFile({ files, path: join(place.dataDir, 'downloads.json'), logger });
  const isInstalled = ({ backend, name }: DownloadKey) =>
    models().some((model) => model.backend === backend && hasName(model, name));
  return { downloads: new DownloadService({ sources, file, isInstalled, clock, logger }), sources, hubToken };
}

/** Until its first start has ended it is coming; a server that went down may not come back, so a download fails and says so. */
function ollamaReadiness(backend: Backend, setup: SetupRunner, isEnabled: boolean): Readiness {
  const { state, stage, restarts, readySince } = backend.status();
  if (isServing(state)) return 'ready';
  const isSettingUp = stage === 'setup' || (setup.part('ollama') !== null && !setup.isSettled('ollama'));
  const isFirstStart = state === 'starting' && restarts === 0 && readySince === null;
  const isBeforeStart = state === 'stopped' && isEnabled;
  return isSettingUp || isBeforeStart || isFirstStart ? 'coming' : 'down';
}
