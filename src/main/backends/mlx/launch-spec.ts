import type { ExitCause } from '../../../shared/incidents';
import type { LaunchSpec } from '../../ports/spawner';
import type { ProcessLimits } from './oom-ladder';

export interface MlxLaunchOptions {
  python: string;
  /** `resources/mlx/launch.py`. */
  script: string;
  /** Environment of this process; only what Python needs is passed on. */
  env: Readonly<Record<string, string | undefined>>;
  /** Folder of the model to load at start. */
  preload: string | null;
  maxConcurrent: number;
  limits: ProcessLimits;
}

const PROMPT_CACHES = 4;

const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'TMPDIR',
  'LANG',
  'LC_ALL',
  'HF_HOME',
  'HF_HUB_CACHE',
  'SSL_CERT_FILE',
];

/** How mlx_lm.server is started: any free loopback port, offline, one prompt cache budget. */
export function mlxLaunchSpec(options: MlxLaunchOptions): LaunchSpec {
  const { limits } = options;
  const concurrency = String(options.maxConcurrent);
  return {
    command: options.python,
    args: [
      options.script,
      ...(options.preload === null ? [] : ['--model', options.preload]),
      ...['--host', '127.0.0.1', '--port', '0'],
      // Web pages must not read the server's answers.
      ...['--allowed-origins', 'http://127.0.0.1'],
      ...['--decode-concurrency', concurrency, '--prompt-concurrency', concurrency],
      ...['--prefill-step-size', String(limits.prefillStepTokens)],
      ...['--prompt-cache-size', String(PROMPT_CACHES)],
      ...['--prompt-cache-bytes', String(limits.promptCacheBytes)],
      ...['--log-level', 'WARNING'],
    ],
    env: {
      ...passedOn(options.env),
      ...tighter(options.env, 'TANDEM_MLX_CACHE_BYTES', limits.bufferPoolBytes),
      ...tighter(options.env, 'TANDEM_MLX_MEMORY_BYTES', limits.memoryBytes),
      HF_HUB_OFFLINE: '1',
      TRANSFORMERS_OFFLINE: '1',
      HF_HUB_DISABLE_TELEMETRY: '1',
      TOKENIZERS_PARALLELISM: 'false',
      PYTHONUNBUFFERED: '1',
      PYTHONNOUSERSITE: '1',
    },
  };
}

/** Our limit replaces the user's if it is lower. */
function tighter(env: MlxLaunchOptions['env'], name: string, bytes: number | null): Record<string, string> {
  const given = Number(env[name] || Number.POSITIVE_INFINITY);
  return bytes === null || given <= bytes ? {} : { [name]: String(bytes) };
}

function passedOn(env: MlxLaunchOptions['env']): Record<string, string> {
  const kept = Object.entries(env).filter(
    ([name, value]) => value !== undefined && (PASSED_ON.includes(name) || name.startsWith('TANDEM_MLX_')),
  );
  return Object.fromEntries(kept) as Record<string, string>;
}

/** Exit codes of `resources/mlx/launch.py`. */
const EXIT_CODES: Readonly<Record<number, ExitCause>> = {
  2: 'bad_arguments',
  3: 'runtime_broken',
  70: 'generation_dead',
  71: 'port_taken',
  72: 'bad_model',
  73: 'parent_gone',
};

/** The cause that the launcher's exit code means; null for any other code. */
export function mlxExitCode(code: number | null): ExitCause | null {
  return code === null ? null : (EXIT_CODES[code] ?? null);
}
