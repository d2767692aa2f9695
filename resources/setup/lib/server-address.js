/**
 * @typedef {object} ServerAddress
 * @property {string} url
 * @property {string | null} authorization from its user and password; separate, as addresses are displayed
 */

/**
 * Splits a server address as entered by a person; text that is not an address stays as it is. The program uses this
 * function too.
 *
 * @param {string} given
 * @returns {ServerAddress}
 */
export function serverAddress(given) {
  const url = URL.parse(given);
  if (url === null || (url.username === '' && url.password === ''))
    return { url: given, authorization: null };
  const text = [url.username, url.password].map(decoded).join(':');
  return {
    url: Object.assign(url, { username: '', password: '' }).href.replace(/\/$/, ''),
    authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
