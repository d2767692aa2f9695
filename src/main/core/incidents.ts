import { release } from 'node:os';
import { join } from 'node:path';
import type { BackendId } from '../../shared/domain';
import { exitWords } from '../backends/exit-words';
import { IncidentStore } from '../incidents/incident-store';
import { type IncidentSources, Incidents, type IncidentsOptions } from '../incidents/incidents';
import type { Clock } from '../ports/clock';
import type { FileStore } from '../ports/file-store';
import type { Logger } from '../ports/logger';
import { redact } from '../ports/redact';
import type { Spawner } from '../ports/spawner';
import { settingsPaths } from '../store/settings-file';
import { readSettingChanges } from '../store/settings-log';
import { explainDeath } from '../supervisor/unified-log';
import type { Place } from './place';

/** Creates the timeline and the reports, with their file in the data folder. */
export function createIncidents(
  ports: { clock: Clock; files: FileStore; logger: Logger; spawner: Spawner },
  place: Place,
  sources: IncidentSources & Pick<IncidentsOptions, 'onExplained'> & { title(backend: BackendId): string },
): Incidents {
  const { clock, files, logger } = ports;
  const { log } = settingsPaths(place.dataDir);
  return new Incidents({
    ...sources,
    store: new IncidentStore({ files, path: join(place.dataDir, 'incidents.jsonl'), logger }),
    clock,
    logger,
    // No other system has this log.
    ...(place.platform === 'darwin' ? { explain: (death) => explainDeath(ports, death) } : {}),
    words: (backend: BackendId, cause) => exitWords(sources.title(backend), cause),
    async settingChanges(since) {
      const changes = await readSettingChanges(files, log, since);
      // An address may contain a password.
      return changes.map((change) => ({ ...change, ...redact({ old: change.old, new: change.new }) }));
    },
    versions: { tandem: place.version, system: `${place.platform} ${release()}` },
  });
}
