import type { BackendStatus } from '../../shared/status';
import type { Unsubscribe } from '../ports/emitter';
import type { Logger } from '../ports/logger';

interface Watched {
  status(): BackendStatus;
  readonly onStatus: (listener: (status: BackendStatus) => void) => Unsubscribe;
}

/** Logs why a server is unavailable and the cure, once for each cause; set-up has its own log. */
export function logAbsence(backend: Watched, logger: Logger): Unsubscribe {
  let told: string | null = null;
  return backend.onStatus(({ id, absence, stage }) => {
    const code = stage === 'setup' ? null : (absence?.code ?? null);
    if (code !== null && code !== told)
      logger.warn('backend.absent', { backend: id, code, says: absence?.cure });
    told = code;
  });
}

/** Resolves when a backend is up, or when neither a start nor a set-up of it is in progress. */
export function hasSettled(backend: Watched, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      unsubscribe();
      signal.removeEventListener('abort', abort);
    };
    const abort = () => {
      end();
      reject(signal.reason);
    };
    const check = (status: BackendStatus) => {
      const begins = status.state === 'starting' && status.stage !== 'waiting';
      if (begins || status.state === 'stopped' || status.stage === 'setup') return;
      end();
      resolve();
    };
    const unsubscribe = backend.onStatus(check);
    signal.addEventListener('abort', abort, { once: true });
    check(backend.status());
  });
}
