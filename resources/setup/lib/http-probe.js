import { existsSync } from 'node:fs';
import { SetupError } from './setup-error.js';

/**
 * The address that a variable names; without a scheme http is meant, as in the program.
 *
 * @param {Record<string, string | undefined>} env
 * @param {string} name
 * @returns {string | undefined} undefined when it is unset; throws a SetupError `address_invalid` for what is no address
 */
export function addressOf(env, name) {
  const text = env[name]?.trim();
  if (!text) return undefined;
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url && /^https?:$/.test(url.protocol) && (text.includes('://') || /[.:]|^localhost$/.test(text))) {
    return text.includes('://') ? text : `http://${text}`;
  }
  throw new SetupError(
    'address_invalid',
    `${name} holds no address that can be used.`,
    `Correct it to one such as http://127.0.0.1:11434, or unset ${name}.`,
  );
}

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
