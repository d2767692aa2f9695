import { existsSync } from 'node:fs';

/**
 * Whether a server answers a GET with 2xx within a second.
 *
 * @param {string} url
 * @param {AbortSignal} [signal]
 */
export async function answers(url, signal) {
  const limit = AbortSignal.timeout(1000);
  try {
    const response = await fetch(url, { signal: signal ? AbortSignal.any([limit, signal]) : limit });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Whether this process runs in a container, where the host's servers are at `host.docker.internal`.
 *
 * @param {Record<string, string | undefined>} env
 */
export function inContainer(env) {
  return env.container !== undefined || existsSync('/.dockerenv') || existsSync('/run/.containerenv');
}
