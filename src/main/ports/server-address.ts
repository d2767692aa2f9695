/** A server's address, and the `Authorization` from its user and password; separate, as addresses are displayed. */
export interface ServerAddress {
  url: string;
  authorization: string | null;
}

/** Splits a server address as entered by a person; text that is not an address stays as it is. */
export function serverAddress(given: string): ServerAddress {
  const url = URL.parse(given);
  if (url === null || (url.username === '' && url.password === ''))
    return { url: given, authorization: null };
  const text = `${decoded(url.username)}:${decoded(url.password)}`;
  url.username = '';
  url.password = '';
  return {
    url: url.href.replace(/\/$/, ''),
    authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  };
}

/** A setting's value without the credentials in its addresses, for display and the log. */
export function withoutCredentials(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutCredentials);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutCredentials(part)]));
  return typeof value === 'string' && /^\s*https?:/i.test(value) ? shownAddress(value) : value;
}

/** In text that is no address, everything up to the last `@` may be credentials. */
function shownAddress(text: string): string {
  return URL.canParse(text) ? serverAddress(text).url : text.replace(/^(\s*https?:\/*).*@/is, '$1');
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
