import { z } from 'zod';
import { TandemError } from '../../../shared/errors';
import type { Clock } from '../../ports/clock';
import { LineReader } from '../../ports/line-reader';
import type { ChildHandle, LaunchSpec, Spawner } from '../../ports/spawner';
import { hubFailure } from './hub-failures';
import type { DownloadProgress } from './source';

/** Without a line for this long a download counts as stalled, ms: six times the hub client's own limit for a read. */
const SILENCE_MS = 60_000;
/** A killed process that has not exited by then is left behind, ms. */
const EXIT_MS = 10_000;
/** Longer than any line: a `config.json` of 256 KiB, each character escaped. */
const MAX_LINE_BYTES = 2 * 1024 * 1024;

const bytes = z.number().nonnegative().nullable();
/** What `hub.py` reports of a repository; see `hub_repo.facts`. */
const factsSchema = z.object({
  id: z.string().max(200),
  sizeBytes: bytes,
  weightsBytes: bytes,
  hasWeights: z.boolean(),
  hasConfig: z.boolean(),
  licence: z.string().nullable(),
  gated: z.boolean(),
  /** The parsed `config.json`; null = unknown. */
  config: z.unknown(),
  architecture: z.string().nullable(),
  /** The installed mlx-lm has this architecture; null = unknown. */
  runs: z.boolean().nullable(),
});
export type HubFacts = z.infer<typeof factsSchema>;

const lineSchema = z.discriminatedUnion('type', [
  factsSchema.extend({ type: z.literal('facts') }),
  z.object({ type: z.literal('progress'), step: z.string().max(100), completed: z.number(), total: bytes }),
  z.object({ type: z.literal('done') }),
  z.looseObject({ type: z.literal('failed'), problem: z.string().max(100), text: z.string().max(1000) }),
]);

export interface HubRequest {
  do: 'lookup' | 'download' | 'discard';
  repo: string;
  /** Null = what the environment provides. */
  token: string | null;
}

export interface HubListener {
  onFacts?(facts: HubFacts): void;
  onProgress?(progress: DownloadProgress): void;
}

export interface HubProcess {
  spawner: Spawner;
  clock: Clock;
  /** `resources/mlx/hub.py`. */
  script: string;
  /** Environment of this process; only what the hub's client needs is passed on. */
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs `hub.py` once. Kills it when the signal aborts, a listener throws, or it is silent for a minute, and settles
 * after it has exited, when nothing is written any more, or 10 s later.
 * @throws TandemError
 */
export async function runHub(
  { spawner, clock, script, env }: HubProcess,
  python: string,
  request: HubRequest,
  listener: HubListener,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  // The token is not in the arguments, which every user of the machine can read.
  const child = spawner.spawn({
    command: python,
    args: [script],
    env: hubEnvironment(env),
    input: JSON.stringify(request),
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stalled = () => reject(hubFailure({ problem: 'stalled', text: '' }, request.repo));
  let cancel = clock.after(SILENCE_MS, stalled);
  let done = false;
  const reader = new LineReader(
    MAX_LINE_BYTES,
    () => new TandemError('pull_failed', 'The hub sent too much.'),
  );
  child.stdout?.on('data', (part: Buffer) => {
    cancel();
    cancel = clock.after(SILENCE_MS, stalled);
    try {
      for (const line of reader.push(part)) done = take(JSON.parse(line), request.repo, listener) || done;
    } catch (error) {
      reject(error);
    }
  });
  child.stderr?.resume();
  child.stdout?.once('end', () => resolve());
  child.stdout?.once('error', reject);
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, failedStart(child)]);
    if (!done) throw hubFailure({ problem: 'ended', text: 'its process ended' }, request.repo);
  } finally {
    cancel();
    signal.removeEventListener('abort', onAbort);
    // Also after its last line: it has nothing left to do, and may hang at its end.
    child.kill('SIGKILL');
    await endOf(child, clock);
    child.stdout?.destroy();
  }
}

/** Passes a line on; returns whether it was the last one. Throws what a `failed` line says. */
function take(value: unknown, repo: string, listener: HubListener): boolean {
  const line = lineSchema.parse(value);
  switch (line.type) {
    case 'facts':
      listener.onFacts?.(line);
      return false;
    case 'progress':
      listener.onProgress?.({ step: line.step, completedBytes: line.completed, totalBytes: line.total });
      return false;
    case 'failed':
      throw hubFailure(line, repo);
    case 'done':
      return true;
  }
}

/** Resolves when the process has exited, or after a limit: one that waits for a dead volume cannot be killed. */
async function endOf({ exited }: ChildHandle, clock: Clock): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(EXIT_MS, resolve);
  await Promise.race([exited, promise]);
  cancel();
}

/** Rejects if the process cannot be started; its regular end is the end of its output. */
async function failedStart({ exited }: ChildHandle): Promise<never> {
  const { error } = await exited;
  if (error) throw new TandemError('runtime_broken', `Python cannot be started: ${error.message}`);
  return new Promise(() => {});
}

const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|LANG|LC_ALL|XDG_CACHE_HOME|HUGGINGFACE_HUB_CACHE|HUGGING_FACE_HUB_TOKEN|HF_\w+|SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE|(HTTPS?|ALL|NO)_PROXY)$/i;
/**
 * Offline is for everything but this process. With HF_DEBUG each call is printed. In older clients hf_transfer writes
 * the file itself, from its beginning.
 */
const LEFT_OUT = new Set(['HF_HUB_OFFLINE', 'HF_DEBUG', 'HF_HUB_ENABLE_HF_TRANSFER']);

function hubEnvironment(env: HubProcess['env']): LaunchSpec['env'] {
  const kept = Object.entries(env).filter(([name]) => PASSED_ON.test(name) && !LEFT_OUT.has(name));
  return {
    ...Object.fromEntries(kept),
    // The Xet client is a library of its own: it restarts interrupted files from their beginning, and neither proxies
    // nor certificates reach it in the way described for the hub's client.
    HF_HUB_DISABLE_XET: '1',
    HF_HUB_DISABLE_TELEMETRY: '1',
    HF_HUB_DISABLE_PROGRESS_BARS: '1',
    // The scripts' folder is a part of the signed app.
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONNOUSERSITE: '1',
    PYTHONUNBUFFERED: '1',
  };
}
