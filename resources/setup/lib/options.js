/** Wrong usage: the program prints the message with the usage text and ends with code 2. */
export class UsageError extends Error {}

/**
 * Options of runtimes.js.
 *
 * @param {string[]} args
 * @returns {{ only: 'mlx' | 'ollama' | undefined, json: boolean, systemPackages: boolean }}
 */
export function runtimeOptions(args) {
  const options = { only: undefined, json: false, systemPackages: true };
  for (let i = 0; i < args.length; i += 1) {
    const arg = args[i];
    if (arg === '--json') options.json = true;
    else if (arg === '--no-system-packages') options.systemPackages = false;
    else if (arg === '--only' && ['mlx', 'ollama'].includes(args[i + 1])) options.only = args[(i += 1)];
    else throw new UsageError(`Unknown option or value: ${arg}\nUsage: runtimes.js [--only mlx|ollama] [--json] [--no-system-packages]`);
  }
  return options;
}
