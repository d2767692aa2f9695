import type { PortHolder } from '../../../resources/setup/lib/port-holder.js';
import { TandemError } from '../../shared/errors';

export { findPortHolder, type PortHolder } from '../../../resources/setup/lib/port-holder.js';

/** `port_taken` with the holder's name if it is known, and the variable that sets another port. */
export function portTaken(port: number, holder: PortHolder | null, variable: string): TandemError {
  const who = holder ? `${holder.name} (process ${holder.pid})` : 'another program';
  return new TandemError(
    'port_taken',
    `Port ${port} is taken by ${who}. Stop it, or choose another port with ${variable}.`,
    { details: { port, holder: holder?.name ?? null, pid: holder?.pid ?? null } },
  );
}

/** The error for a failed bind other than a taken port: a plain message for known causes. */
export function bindFailure(error: unknown, port: number, host: string, variable: string): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EACCES':
      return new TandemError(
        'environment_invalid',
        `Port ${port} may not be opened by this user. Choose one above 1023 with ${variable}.`,
        { cause: error },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new TandemError(
        'environment_invalid',
        `${host} is no address of this machine. Use 127.0.0.1, or set ${variable.replace(/_PORT$/, '_HOST')} to one that is.`,
        { cause: error },
      );
    default:
      return error;
  }
}
