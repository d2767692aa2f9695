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
  /** Null = memory cannot be read. */
  memory: MlxMemoryLimits | null;
}

/** From the memory ledger, bytes. */
export interface MlxMemoryLimits {
  memoryBytes: number;
  bufferPoolBytes: number;
  /** Memory that MLX wires; 0 = none. */
  wiredBytes: number;
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
  const { limits, memory, env } = options;
  // Without a limit of memory, several requests at once could take any amount.
  const concurrency = String(memory === null ? 1 : options.maxConcurrent);
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
      ...passedOn(env),
      ...tightest(env, 'TANDEM_MLX_CACHE_BYTES', limits.bufferPoolBytes, memory?.bufferPoolBytes),
      ...tightest(env, 'TANDEM_MLX_MEMORY_BYTES', limits.memoryBytes, memory?.memoryBytes),
      // Never the variable of our own environment: only the setting is kept within its bounds.
      TANDEM_MLX_WIRED_BYTES: String(memory?.wiredBytes ?? 0),
      HF_HUB_OFFLINE: '1',
      TRANSFORMERS_OFFLINE: '1',
      HF_HUB_DISABLE_TELEMETRY: '1',
      TOKENIZERS_PARALLELISM: 'false',
      PYTHONUNBUFFERED: '1',
      PYTHONNOUSERSITE: '1',
    },
  };
}

/** The lowest of the user's limit and ours; nothing when none is given. */
function tightest(
  env: MlxLaunchOptions['env'],
  name: string,
  ...ours: (number | null | undefined)[]
): Record<string, string> {
  const given = Number(env[name] || Number.POSITIVE_INFINITY);
  const bytes = Math.min(given, ...ours.map((limit) => limit ?? Number.POSITIVE_INFINITY));
  return bytes === given ? {} : { [name]: String(bytes) };
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
