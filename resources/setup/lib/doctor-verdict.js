/**
 * @typedef {object} Part one thing that the doctor checked
 * @property {'node' | 'dependencies' | 'electron' | 'python' | 'mlx-lm' | 'ollama' | 'models' | 'ports' | 'disk' | 'data'} part
 * @property {'found' | 'missing' | 'broken'} state
 * @property {string} detail
 * @property {string} [cure]
 * @property {boolean} [obtainable] missing, but `npm start` installs it automatically
 */

const names = {
  node: 'Node',
  dependencies: 'Dependencies',
  electron: 'Electron',
  python: 'Python',
  'mlx-lm': 'mlx-lm',
  ollama: 'Ollama',
  models: 'Models',
  ports: 'Ports',
  disk: 'Disk',
  data: 'Data folder',
};

/** Nothing runs if one of these is missing. */
const required = ['node', 'dependencies', 'ports', 'disk', 'data'];

/**
 * Whether Tandem can answer a chat message: everything required is present or obtainable, and so is at least one of the
 * two servers.
 *
 * @param {Part[]} parts
 * @returns {{ ok: boolean, reason: string }}
 */
export function verdict(parts) {
  const works = (part) => part !== undefined && (part.state === 'found' || part.obtainable === true);
  const find = (name) => parts.find((part) => part.part === name);
  const failing = required.filter((name) => !works(find(name)));
  if (failing.length > 0)
    return { ok: false, reason: `Tandem cannot run: see ${failing.map((name) => names[name]).join(', ')}.` };
  const servers = ['mlx-lm', 'ollama'].filter((name) => works(find(name)));
  if (servers.length === 0) return { ok: false, reason: 'Neither MLX nor Ollama can run here.' };
  if (servers.length === 2) return { ok: true, reason: 'Tandem can run.' };
  return { ok: true, reason: `Tandem can run with ${servers[0] === 'ollama' ? 'Ollama' : 'MLX'} alone.` };
}

/**
 * The report as text: one line per part, with its cure below.
 *
 * @param {Part[]} parts
 * @returns {string}
 */
export function reportText(parts) {
  const lines = parts.flatMap(({ part, state, detail, cure }) => [
    `${names[part].padEnd(13)}${state.padEnd(9)}${detail}`,
    ...(cure ? [`${' '.repeat(22)}${cure}`] : []),
  ]);
  return [...lines, '', verdict(parts).reason].join('\n');
}
