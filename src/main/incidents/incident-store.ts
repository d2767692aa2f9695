import type { FileStore } from '../ports/file-store';
import type { Logger } from '../ports/logger';
import { type Incident, incidentSchema } from './incident';

const CAPACITY = 50;

export interface IncidentStoreOptions {
  files: Pick<FileStore, 'readText' | 'append' | 'replace'>;
  /** JSON lines, one incident each; mode 0600. */
  path: string;
  logger: Logger;
}

/** The last incidents, kept across restarts of the app. A full or read-only disk loses the file, not the app. */
export class IncidentStore {
  readonly #options: IncidentStoreOptions;
  #incidents: readonly Incident[] = [];
  /** Lines in the file; it is rewritten when half of them are obsolete. */
  #lines = 0;
  /** The file ends in half a line because a write was cut off. */
  #torn = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: IncidentStoreOptions) {
    this.#options = options;
  }

  /** Reads the incidents of earlier runs; skips unreadable lines. Never rejects. */
  async load(): Promise<readonly Incident[]> {
    const { files, path, logger } = this.#options;
    try {
      const text = (await files.readText(path)) ?? '';
      const lines = text.split('\n').filter((line) => line !== '');
      this.#lines = lines.length;
      this.#torn = text !== '' && !text.endsWith('\n');
      this.#incidents = [...lines.flatMap(readLine), ...this.#incidents].reduce<readonly Incident[]>(
        withIncident,
        [],
      );
    } catch (error) {
      logger.warn('incidents.not-read', { error });
    }
    return this.#incidents;
  }

  find(id: string): Incident | null {
    return this.#incidents.find((incident) => incident.id === id) ?? null;
  }

  /** Adds an incident, or replaces the one with its id. */
  add(incident: Incident): void {
    this.#incidents = withIncident(this.#incidents, incident);
    this.#writing = this.#writing.then(() => this.#write(incident));
  }

  /** Resolves when everything is on disk, or the write has failed. */
  settled(): Promise<void> {
    return this.#writing;
  }

  async #write(incident: Incident): Promise<void> {
    const { files, path, logger } = this.#options;
    try {
      if (this.#lines >= 2 * CAPACITY) {
        await files.replace(path, this.#incidents.map((each) => `${JSON.stringify(each)}\n`).join(''));
        this.#lines = this.#incidents.length;
      } else {
        await files.append(path, `${this.#torn ? '\n' : ''}${JSON.stringify(incident)}\n`);
        this.#lines += 1;
      }
      this.#torn = false;
    } catch (error) {
      logger.warn('incidents.not-written', { error });
    }
  }
}

/** A later line with the same id replaces the earlier one in its place. */
function withIncident(incidents: readonly Incident[], incident: Incident): readonly Incident[] {
  const at = incidents.findIndex(({ id }) => id === incident.id);
  return at === -1 ? [...incidents, incident].slice(-CAPACITY) : incidents.with(at, incident);
}

function readLine(line: string): Incident[] {
  try {
    return [incidentSchema.parse(JSON.parse(line))];
  } catch {
    return [];
  }
}
