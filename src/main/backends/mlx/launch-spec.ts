import type { ExitCause } from '../../../shared/incidents';
import type { LaunchSpec } from '../../ports/spawner';

export interface MlxLaunchOptions {
  python: string;
  /** `resources/mlx/launch.py`. */
  script: string;
  /** Environment of this process; only what Python needs is passed on. */
  env: Readonly<Record<string, string | undefined>>;
  /** Folder of the model to load at start. */
  preload: string | null;
  maxConcurrent: number;
  /** Tokens of a prompt computed in one step that cannot be interrupted. */
  prefillStepTokens?: number;
  promptCacheBytes?: number;
}

/** One step takes well under 2 s from a small model on a CPU up to a 32B model on Apple silicon. */
const PREFILL_STEP_TOKENS = 128;
const PROMPT_CACHES = 4;
const PROMPT_CACHE_BYTES = 1_000_000_000;

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

/** How mlx_lm.server is started: any free port of loopback, offline, one prompt cache budget. */
export function mlxLaunchSpec(options: MlxLaunchOptions): LaunchSpec {
  const concurrency = String(options.maxConcurrent);
  return {
    command: options.python,
    args: [
      options.script,
      ...(options.preload === null ? [] : ['--model', options.preload]),
      ...['--host', '127.0.0.1', '--port', '0'],
      // No web page may read the server's answers.
      ...['--allowed-origins', 'http://127.0.0.1'],
      ...['--decode-concurrency', concurrency, '--prompt-concurrency', concurrency],
      ...['--prefill-step-size', String(options.prefillStepTokens ?? PREFILL_STEP_TOKENS)],
      ...['--prompt-cache-size', String(PROMPT_CACHES)],
      ...['--prompt-cache-bytes', String(options.promptCacheBytes ?? PROMPT_CACHE_BYTES)],
      ...['--log-level', 'WARNING'],
    ],
    env: {
      ...passedOn(options.env),
      HF_HUB_OFFLINE: '1',
      TRANSFORMERS_OFFLINE: '1',
      HF_HUB_DISABLE_TELEMETRY: '1',
      TOKENIZERS_PARALLELISM: 'false',
      PYTHONUNBUFFERED: '1',
      PYTHONNOUSERSITE: '1',
    },
  };
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

/** What the launcher says by its exit code; null for any other. */
export function mlxExitCode(code: number | null): ExitCause | null {
  return code === null ? null : (EXIT_CODES[code] ?? null);
}
