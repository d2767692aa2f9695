/**
 * @typedef {object} Part one thing that the doctor looked at
 * @property {'node' | 'dependencies' | 'electron' | 'python' | 'mlx-lm' | 'ollama' | 'models' | 'ports' | 'disk' | 'data'} part
 * @property {'found' | 'missing' | 'broken'} state
 * @property {string} detail
 * @property {string} [cure]
 * @property {boolean} [obtainable] missing, but `npm start` sets it up by itself
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

/** Without each of these nothing runs. */
const required = ['node', 'dependencies', 'ports', 'disk', 'data'];

/**
 * Whether the main job, answering a chat message, can be done: everything required is there or will be, and so is at
 * least one of the two servers.
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
 * The report as text: one line per part, its cure below it.
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
