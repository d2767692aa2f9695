/** The app's settings in a developer's shell; a test that needs one sets it itself. */
const settings = /^(TANDEM_|MLX_|OLLAMA_|LOCAL_ROUTER_|VICTORIA_|SMART_WORKER_|RAG_|MODEL_TIME_)/;

/** Variables for the set-up of the tests themselves. */
const kept = new Set([
  'TANDEM_RUNTIME_DIR',
  'TANDEM_MLX_PYTHON',
  'TANDEM_OLLAMA_BIN',
  'TANDEM_SMALL_MODEL',
  'TANDEM_CHROMIUM',
]);

/**
 * The environment for tests: the shell's without settings of the app, plus the locations of the real servers and the
 * browser.
 *
 * @param {Record<string, string | undefined>} env
 * @param {{ mlxPython?: string, ollama?: string, smallModel?: string, chromium?: string }} [found]
 * @returns {Record<string, string | undefined>}
 */
export function testEnvironment(env, { mlxPython, ollama, smallModel, chromium } = {}) {
  const clean = Object.fromEntries(
    Object.entries(env).filter(([name]) => kept.has(name) || !settings.test(name)),
  );
  if (mlxPython) clean.TANDEM_MLX_PYTHON = mlxPython;
  if (ollama) clean.TANDEM_OLLAMA_BIN = ollama;
  if (smallModel) clean.TANDEM_SMALL_MODEL = smallModel;
  if (chromium) clean.TANDEM_CHROMIUM = chromium;
  return clean;
}
