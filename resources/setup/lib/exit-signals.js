const codes = { SIGINT: 130, SIGTERM: 0, SIGHUP: 0 };
const repeatMs = 500;

/**
 * Signals that end this process. Before the program runs they abort the work (`signal`); while it runs they are passed
 * to it (`onSignal`). Ctrl-C reaches us directly and through npm, so a repeat within half a second is ignored.
 */
export class ExitSignals {
  #controller = new AbortController();
  #listeners = new Set();
  #lastAt = -Infinity;
  #first;

  /** @param {{ process?: NodeJS.Process, now?: () => number }} [ports] */
  constructor({ process: target = process, now = Date.now } = {}) {
    for (const name of Object.keys(codes)) target.on(name, () => this.#receive(name, now()));
    // If npm is gone, nothing can stop us in the ordinary way.
    if (target.env.npm_lifecycle_event) this.#watchParent(target, now);
  }

  /** Aborted at the first signal. */
  get signal() {
    return this.#controller.signal;
  }

  /** The exit code for the first signal; undefined if there was none. */
  get exitCode() {
    return this.#first && codes[this.#first];
  }

  /**
   * @param {(name: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void} listener
   * @returns {() => void} unsubscribe
   */
  onSignal(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #receive(name, at) {
    if (at - this.#lastAt < repeatMs) return;
    this.#lastAt = at;
    this.#first ??= name;
    for (const listener of this.#listeners) listener(name);
    this.#controller.abort(new Error(`ended by ${name}`));
  }

  /** If npm is killed with -9, no signal arrives: our parent changes instead. */
  #watchParent(target, now) {
    const parent = target.ppid;
    const timer = setInterval(() => {
      if (target.ppid === parent) return;
      clearInterval(timer);
      this.#receive('SIGTERM', now());
    }, 1000);
    timer.unref();
  }
}
