import type { SetupPart } from '../../shared/status';
import type { Locate } from '../backends/locate';
import type { SetupRunner } from './setup-runner';

/** Where the set-up says a backend's program is; while it works, that it is still at work. */
export function locateRuntime(setup: SetupRunner, name: SetupPart['part']): Locate {
  return async () => {
    const part = setup.part(name);
    // While a newer version is made, every line of the set-up names the one that is there.
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
      absent: { code: 'setup', cure: 'It is being set up; the progress stands in Status.', setup: true },
    };
  };
}
