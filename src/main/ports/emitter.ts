import { redact } from './redact';

export type Unsubscribe = () => void;

/** A private emitter; owners expose `onX = emitter.subscribe`. A throwing listener does not stop the others. */
export class Emitter<T> {
  readonly #listeners = new Set<(value: T) => void>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void = toConsole) {
    this.#onError = onError;
  }

  readonly subscribe = (listener: (value: T) => void): Unsubscribe => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  emit(value: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(value);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}

/** Used when no logger is available: these lines bypass the log, so they are redacted here. */
function toConsole(error: unknown): void {
  console.error(JSON.stringify({ level: 'error', event: 'listener_failed', ...redact({ error }) }));
}
