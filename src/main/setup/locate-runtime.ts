import type { SetupPart } from '../../shared/status';
import type { Locate } from '../backends/locate';
import type { SetupRunner } from './setup-runner';

/** A backend's program as reported by the set-up; while the set-up runs, that it is still running. */
export function locateRuntime(setup: SetupRunner, name: SetupPart['part']): Locate {
  return async () => {
    const part = setup.part(name);
    // While a newer version is built, the set-up reports the path of the existing one.
    if (part?.path) return { path: part.path };
    if (part && (part.stage === 'failed' || part.stage === 'absent')) {
      const { code = 'backend_absent', cure = part.detail, command } = part;
      return { absent: { code, cure, ...(command === undefined ? {} : { details: { command } }) } };
    }
    if (part?.stage === 'ready') {
      const cure = `The server that was found${part.url ? ` at ${part.url}` : ''} has gone. Start it again, or set the runtimes up again in Settings.`;
      return { absent: { code: 'backend_absent', cure } };
    }
    return {
      absent: { code: 'setup', cure: 'It is being set up; Status shows the progress.', setup: true },
    };
  };
}
