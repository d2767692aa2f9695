import { TandemError } from '../../shared/errors';

/** The binding of one server to its port. It can be closed at any moment: a binding in progress then ends closed. */
export class Binding {
  #closed = false;
  #binding: Promise<unknown> = Promise.resolve();

  /** Runs `bind`. Rejects with `cancelled` if it was closed before or during the call. */
  async run<T>(bind: () => Promise<T>): Promise<T> {
    this.#refuseClosed();
    const bound = bind();
    this.#binding = bound.catch(() => {});
    const result = await bound;
    this.#refuseClosed();
    return result;
  }

  /** Runs `end` once no binding is in progress; no later binding succeeds. */
  async close(end: () => Promise<void>): Promise<void> {
    this.#closed = true;
    await this.#binding;
    await end();
  }

  #refuseClosed(): void {
    if (this.#closed) throw new TandemError('cancelled', 'Tandem is stopping.');
  }
}
