const codes = { SIGINT: 130, SIGTERM: 0, SIGHUP: 0 };
const repeatMs = 500;

/**
 * Signals that end us. Before the program runs they abort the work (`signal`); while it runs they are passed on to it
 * (`onSignal`). npm passes a terminal's Ctrl-C on although we got it too, so a repeat within half a second counts once.
 */
export class ExitSignals {
  #controller = new AbortController();
  #listeners = new Set();
  #lastAt = -Infinity;
  #first;

  /** @param {{ process?: NodeJS.Process, now?: () => number }} [ports] */
  constructor({ process: target = process, now = Date.now } = {}) {
    for (const name of Object.keys(codes)) target.on(name, () => this.#receive(name, now()));
    // Without npm nobody is left who could stop us in the ordinary way.
    if (target.env.npm_lifecycle_event) this.#watchParent(target, now);
  }

  /** Aborted at the first signal. */
  get signal() {
    return this.#controller.signal;
  }

  /** The exit code that belongs to the first signal; undefined when none came. */
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

  /** npm killed with -9 tells nobody: its end shows as a change of our parent. */
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
