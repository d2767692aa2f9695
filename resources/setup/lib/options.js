import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** Wrong usage: the program prints the message and exits with code 2. */
export class UsageError extends Error {}

export const startUsage = `Usage: npm start -- [options]

  --headless             serve the UI to a browser, without Electron
  --no-open              open no browser
  --wait                 say "ready" only when every server is ready or absent
  --json                 log as JSON lines
  --data-dir DIR         folder of settings, chats and logs
  --no-system-packages   install no system packages
  --insecure-lan         let the UI be served off this machine without a certificate
  --retry-electron       try again to fetch Electron
  --check                check this machine and say what is missing (with --json as JSON)
  --uninstall            remove everything that Tandem has set up (--yes: do not ask, --keep-data: keep the chats)
  --help                 this text`;

/** Options for set-up only, and options that are also passed to the program. */
const ownFlags = new Set([
  '--headless',
  '--check',
  '--uninstall',
  '--help',
  '--yes',
  '--keep-data',
  '--retry-electron',
]);
const passedFlags = new Set(['--no-open', '--json', '--wait', '--no-system-packages', '--insecure-lan']);

/**
 * @typedef {object} StartOptions
 * @property {'run' | 'check' | 'uninstall' | 'help'} action
 * @property {boolean} headless
 * @property {boolean} json
 * @property {boolean} yes
 * @property {boolean} keepData
 * @property {boolean} retryElectron
 * @property {boolean} systemPackages
 * @property {string | undefined} dataDir
 * @property {string[]} hostArgs arguments of the program
 *
 * Parses the options of `npm start`.
 *
 * @param {string[]} args
 * @param {string} [cwd] base of a relative folder
 * @returns {StartOptions} throws a UsageError for anything unknown, incomplete or contradictory
 */
export function startOptions(args, cwd = process.cwd()) {
  const flags = new Set();
  const hostArgs = [];
  let dataDir;
  const withValue = { 'data-dir': { type: 'string' } };
  const { tokens } = parseArgs({ args, options: withValue, strict: false, tokens: true });
  for (const { rawName: name, value, index } of tokens) {
    if (name === '--data-dir') {
      if (!value || value.startsWith('--')) throw new UsageError('--data-dir needs a folder.');
      dataDir = resolve(cwd, value);
      hostArgs.push('--data-dir', dataDir);
    } else if (value === undefined && (ownFlags.has(name) || passedFlags.has(name))) {
      if (passedFlags.has(name) && !flags.has(name)) hostArgs.push(name);
      flags.add(name);
    } else {
      throw new UsageError(`Unknown option: ${args[index]}`);
    }
  }
  return {
    action: actionOf(flags),
    headless: flags.has('--headless'),
    json: flags.has('--json'),
    yes: flags.has('--yes'),
    keepData: flags.has('--keep-data'),
    retryElectron: flags.has('--retry-electron'),
    systemPackages: !flags.has('--no-system-packages'),
    dataDir,
    hostArgs,
  };
}

function actionOf(flags) {
  if (flags.has('--help')) return 'help';
  const check = flags.has('--check');
  const uninstall = flags.has('--uninstall');
  if (check && uninstall) throw new UsageError('--check and --uninstall do not go together.');
  if (!uninstall && (flags.has('--yes') || flags.has('--keep-data'))) {
    throw new UsageError('--yes and --keep-data belong to --uninstall.');
  }
  if (check) return 'check';
  return uninstall ? 'uninstall' : 'run';
}

/**
 * Options of runtimes.js.
 *
 * @param {string[]} args
 * @returns {{ only: 'mlx' | 'ollama' | 'model' | undefined, json: boolean, systemPackages: boolean }}
 */
export function runtimeOptions(args) {
  const options = { only: undefined, json: false, systemPackages: true };
  for (let i = 0; i < args.length; i += 1) {
    const arg = args[i];
    if (arg === '--json') options.json = true;
    else if (arg === '--no-system-packages') options.systemPackages = false;
    else if (arg === '--only' && ['mlx', 'ollama', 'model'].includes(args[i + 1])) {
      options.only = args[i + 1];
      i += 1;
    } else {
      const usage = 'Usage: runtimes.js [--only mlx|ollama|model] [--json] [--no-system-packages]';
      throw new UsageError(`Unknown option or value: ${arg}\n${usage}`);
    }
  }
  return options;
}
