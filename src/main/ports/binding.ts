import { TandemError } from '../../shared/errors';

/** The binding of one server to its port, which may be closed at any moment: also one under way ends closed. */
export class Binding {
  #closed = false;
  #binding: Promise<unknown> = Promise.resolve();

  /** Runs `bind`. Rejects with `cancelled` when it was closed before or meanwhile. */
  async run<T>(bind: () => Promise<T>): Promise<T> {
    this.#refuseClosed();
    const bound = bind();
    this.#binding = bound.catch(() => {});
    const result = await bound;
    this.#refuseClosed();
    return result;
  }

  /** Runs `end` as soon as nothing is being bound any more; nothing is bound after this call. */
  async close(end: () => Promise<void>): Promise<void> {
    this.#closed = true;
    await this.#binding;
    await end();
  }

  #refuseClosed(): void {
    if (this.#closed) throw new TandemError('cancelled', 'Tandem is stopping.');
  }
}
