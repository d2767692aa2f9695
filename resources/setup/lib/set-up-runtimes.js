import { setUpMlx } from './mlx.js';
import { setUpOllama } from './ollama.js';
import { SetupError } from './setup-error.js';
import { setUpSmallModel } from './small-model.js';

/**
 * @typedef {object} RuntimeEvent one line of progress
 * @property {'mlx' | 'ollama' | 'model'} part
 * @property {'check' | 'python' | 'venv' | 'install' | 'verify' | 'packages' | 'download' | 'build' | 'unpack' | 'convert' | 'ready' | 'absent' | 'failed'} stage
 * @property {string} detail one sentence
 * @property {number | null} percent 0–100 of the whole part
 * @property {number} elapsedMs since the part began
 * @property {'env' | 'managed' | 'app' | 'path' | 'running'} [source] with `ready`
 * @property {string} [path] with `ready`: the Python with mlx-lm, the Ollama binary, or the small model's folder (also
 * with a failed `model` if only its conversion failed); before it: the older version that is used meanwhile
 * @property {string} [url] with `ready`: a server that is used as it is (then there is no path)
 * @property {string} [version] with `ready`
 * @property {string} [code] with `absent` and `failed`
 * @property {string} [cure] with `absent` and `failed`
 * @property {string} [command] with `absent` and `failed`: the command in the cure
 */

const installers = { mlx: setUpMlx, ollama: setUpOllama, model: setUpSmallModel };

/** Failures that mean that this machine lacks a requirement, not that something went wrong. */
const absentCodes = new Set(['no_python', 'no_go', 'no_build_tools', 'no_pip', 'unsupported_system']);

/**
 * Sets up the parts concurrently and reports every step; only the small model waits for MLX, which converts it. An
 * expected failure ends its part, not the call.
 *
 * @param {Omit<import('./context.js').Context, 'report'> & {
 *   parts: ('mlx' | 'ollama' | 'model')[], onEvent: (event: RuntimeEvent) => void, now?: () => number }} job
 * @returns {Promise<RuntimeEvent[]>} the last event of each part; aborted parts are left out
 */
export async function setUpRuntimes({ parts, onEvent, now = Date.now, ...context }) {
  const run = async (part) => {
    const started = now();
    const tell = (event) => {
      const whole = { part, percent: null, elapsedMs: now() - started, ...event };
      onEvent(whole);
      return whole;
    };
    const report = (stage, detail, percent, usable) => tell({ stage, detail, percent, ...usable });
    try {
      return tell({ ...(await installers[part]({ ...context, report })), percent: 100 });
    } catch (error) {
      if (context.signal?.aborted) return undefined;
      return tell(failureEvent(error));
    }
  };
  const runs = new Map();
  // The model does not wait for Ollama: a build needs the processor, a download does not.
  const begin = (part) =>
    part === 'model' ? Promise.resolve(runs.get('mlx')).then(() => run(part)) : run(part);
  for (const part of [...parts].sort((a, b) => Number(a === 'model') - Number(b === 'model')))
    runs.set(part, begin(part));
  const results = await Promise.all(parts.map((part) => runs.get(part)));
  return results.filter((result) => result !== undefined);
}

function failureEvent(error) {
  if (!(error instanceof SetupError)) {
    const cure = 'Look at the log, or run the check: npm start -- --check';
    return { stage: 'failed', detail: error.message, code: 'setup_failed', cure };
  }
  const stage = absentCodes.has(error.code) ? 'absent' : 'failed';
  return {
    stage,
    detail: error.message,
    code: error.code,
    cure: error.cure,
    command: error.command,
    path: error.path,
  };
}
