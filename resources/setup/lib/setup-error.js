/** An expected set-up failure: a machine-readable code, a sentence and a cure. */
export class SetupError extends Error {
  /**
   * @param {string} code snake_case, stable
   * @param {string} message what happened, one sentence
   * @param {string} [cure] what the user can do, one sentence or one command
   * @param {string} [command] the command in the cure, ready to type
   */
  constructor(code, message, cure, command) {
    super(message);
    this.name = 'SetupError';
    this.code = code;
    this.cure = cure;
    this.command = command;
  }
}
