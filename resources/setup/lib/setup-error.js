/**
 * A set-up failure that was expected: a machine-readable code, a plain sentence and what to do about it.
 */
export class SetupError extends Error {
  /**
   * @param {string} code snake_case, stable
   * @param {string} message what happened, one sentence
   * @param {string} [cure] what the person can do, one sentence or one command
   * @param {string} [command] the command that the cure names, as it is to be typed
   */
  constructor(code, message, cure, command) {
    super(message);
    this.name = 'SetupError';
    this.code = code;
    this.cure = cure;
    this.command = command;
  }
}
