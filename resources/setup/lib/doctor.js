import { checkDependencies, checkElectron, checkNode } from './doctor-program.js';
import { checkMlx, checkModels, checkOllama, checkPython } from './doctor-servers.js';
import { checkData, checkDisk, checkPorts } from './doctor-system.js';
import { reportText, verdict } from './doctor-verdict.js';

const checks = {
  node: checkNode,
  dependencies: checkDependencies,
  electron: checkElectron,
  python: checkPython,
  'mlx-lm': checkMlx,
  ollama: checkOllama,
  models: checkModels,
  ports: checkPorts,
  disk: checkDisk,
  data: checkData,
};

/**
 * Checks everything that Tandem needs and reports what is missing and the cure. Changes nothing.
 *
 * @param {Omit<import('./context.js').Job, 'steps'>} job
 * @returns {Promise<number>} exit code: 0 only if a chat message could be answered
 */
export async function doctor({ options, place, root, manifest, out, signal }) {
  const facts = {
    place,
    root,
    manifest,
    allowPackages: options.systemPackages,
    headless: options.headless,
    report: () => undefined,
    signal,
  };
  const look = async ([part, check]) => ({ part, ...(await check(facts)) });
  const parts = await Promise.all(Object.entries(checks).map(look));
  const { ok, reason } = verdict(parts);
  out.write(options.json ? `${JSON.stringify({ ok, reason, parts })}\n` : `${reportText(parts)}\n`);
  return ok ? 0 : 1;
}
