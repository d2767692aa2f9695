import { existsSync } from 'node:fs';
import { SetupError } from './setup-error.js';

/**
 * The address in a variable, without user and password, for printing; without a scheme it means http, as in the
 * program.
 *
 * @param {Record<string, string | undefined>} env
 * @param {string} name
 * @returns {string | undefined} undefined if it is unset; throws a SetupError `address_invalid` for an invalid address
 */
export function addressOf(env, name) {
  const text = env[name]?.trim();
  if (!text) return undefined;
  const address = withScheme(text);
  const url = URL.parse(address);
  if (url && /^https?:$/.test(url.protocol) && (text.includes('://') || /[.:]|^localhost$/.test(text))) {
    if (url.username === '' && url.password === '') return address;
    return Object.assign(url, { username: '', password: '' }).href.replace(/\/$/, '');
  }
  throw new SetupError(
    'address_invalid',
    `${name} holds no address that can be used.`,
    `Correct it to one such as http://127.0.0.1:11434, or unset ${name}.`,
  );
}

/**
 * The headers with the user and password of such an address.
 *
 * @param {Record<string, string | undefined>} env
 * @param {string} name
 * @returns {Record<string, string>}
 */
export function credentialsOf(env, name) {
  const url = URL.parse(withScheme(env[name]?.trim() ?? ''));
  if (!url || (url.username === '' && url.password === '')) return {};
  const text = [url.username, url.password].map(decoded).join(':');
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` };
}

function withScheme(text) {
  return text.includes('://') ? text : `http://${text}`;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * Whether a server answers a GET with 2xx within a second.
 *
 * @param {string} url
 * @param {AbortSignal} [signal]
 * @param {Record<string, string>} [headers]
 */
export async function answers(url, signal, headers = {}) {
  const limit = AbortSignal.timeout(1000);
  try {
    const response = await fetch(url, { headers, signal: signal ? AbortSignal.any([limit, signal]) : limit });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Whether this process runs in a container, where `host.docker.internal` is the host.
 *
 * @param {Record<string, string | undefined>} env
 */
export function inContainer(env) {
  return env.container !== undefined || existsSync('/.dockerenv') || existsSync('/run/.containerenv');
}
