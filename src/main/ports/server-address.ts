import { serverAddress } from '../../../resources/setup/lib/server-address.js';

export { type ServerAddress, serverAddress } from '../../../resources/setup/lib/server-address.js';

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
