import { setUpMlx } from './mlx.js';
import { setUpOllama } from './ollama.js';
import { SetupError } from './setup-error.js';

/**
 * @typedef {object} RuntimeEvent one line of progress
 * @property {'mlx' | 'ollama'} part
 * @property {'check' | 'python' | 'venv' | 'install' | 'verify' | 'packages' | 'download' | 'build' | 'ready' | 'absent' | 'failed'} stage
 * @property {string} detail one sentence
 * @property {number | null} percent 0–100 of the whole part
 * @property {number} elapsedMs since the part began
 * @property {'env' | 'managed' | 'app' | 'path' | 'running'} [source] with `ready`
 * @property {string} [path] with `ready`: the Python that has mlx-lm, or the Ollama binary; before it: the older version
 *   that can be run while the new one is made
 * @property {string} [url] with `ready`: a server that is used as it is (then there is no path)
 * @property {string} [version] with `ready`
 * @property {string} [code] with `absent` and `failed`
 * @property {string} [cure] with `absent` and `failed`
 * @property {string} [command] with `absent` and `failed`: the command that the cure names
 */

const installers = { mlx: setUpMlx, ollama: setUpOllama };

/** Failures that mean "not on this machine", not "something went wrong". */
const absentCodes = new Set(['no_python', 'no_go', 'no_build_tools', 'unsupported_system']);

/**
 * Sets up the parts at the same time and reports every step. Expected failures end a part, not the call.
 *
 * @param {object} job
 * @param {('mlx' | 'ollama')[]} job.parts
 * @param {import('./paths.js').Place} job.place
 * @param {any} job.manifest
 * @param {boolean} job.allowPackages
 * @param {boolean} [job.adopt] default true; false: servers that run already are left alone
 * @param {(event: RuntimeEvent) => void} job.onEvent
 * @param {AbortSignal} [job.signal]
 * @param {() => number} [job.now]
 * @returns {Promise<RuntimeEvent[]>} the last event of each part; parts that were aborted are left out
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
  const results = await Promise.all(parts.map(run));
  return results.filter((result) => result !== undefined);
}

function failureEvent(error) {
  if (!(error instanceof SetupError)) {
    const cure = 'Look at the log, or run the check: npm start -- --check';
    return { stage: 'failed', detail: error.message, code: 'setup_failed', cure };
  }
  const stage = absentCodes.has(error.code) ? 'absent' : 'failed';
  return { stage, detail: error.message, code: error.code, cure: error.cure, command: error.command };
}
