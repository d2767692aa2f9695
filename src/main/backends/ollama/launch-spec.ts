import type { LaunchSpec } from '../../ports/spawner';

const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|LANG|LC_ALL|SSL_CERT_(FILE|DIR)|(HTTPS?|NO)_PROXY|LD_LIBRARY_PATH|(CUDA|HIP|ROCR|GGML|GPU|HSA|OLLAMA)_\w+)$/i;
/** These would change what we rely on: the address, one answer at a time, no message text in the log. */
const OURS = new Set(['OLLAMA_HOST', 'OLLAMA_NUM_PARALLEL', 'OLLAMA_DEBUG', 'OLLAMA_DEBUG_LOG_REQUESTS']);

/**
 * `llama-server` (0.30 and later) caches the context of earlier prompts in its process, up to 8 GB, which no figure
 * counts. This much is enough for a person who switches between chats.
 */
const CACHED_CONTEXTS_MIB = 256;

/**
 * Our own Ollama on a loopback port (0 = any; the log shows it), with the user's model folder, without pruning it or
 * calling the vendor's cloud. It logs to a file: with a pipe it dies when the reader exits, and freezes when it stalls.
 */
export function ollamaLaunchSpec(
  program: string,
  env: Readonly<Record<string, string | undefined>>,
  logFile: string,
  port: number,
): LaunchSpec {
  const kept = Object.entries(env).filter(
    ([name, value]) => value !== undefined && PASSED_ON.test(name) && !OURS.has(name),
  );
  return {
    command: program,
    args: ['serve'],
    env: {
      ...(Object.fromEntries(kept) as Record<string, string>),
      OLLAMA_HOST: `127.0.0.1:${port}`,
      OLLAMA_NO_CLOUD: '1',
      OLLAMA_NOPRUNE: '1',
      OLLAMA_NUM_PARALLEL: '1',
      LLAMA_ARG_CACHE_RAM: String(CACHED_CONTEXTS_MIB),
    },
    logFile,
  };
}
