/** The address of a server, and the `Authorization` that its user and password make. They are separated here because addresses are displayed. */
export interface ServerAddress {
  url: string;
  authorization: string | null;
}

/** Splits what a person wrote as the address of a server; what is no address stays as it is. */
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

/** A setting's value as it may be shown and logged. */
export function withoutCredentials(value: unknown): unknown {
  return typeof value === 'string' && /^https?:/i.test(value) ? serverAddress(value).url : value;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
