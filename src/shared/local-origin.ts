/**
 * Checks who may access a listener on this machine. Any web page can make a browser send requests to loopback, and a
 * DNS name under its control can be rebound to loopback, so both the `Host` and the `Origin` header are checked.
 */

/** Names of this machine for itself and for its containers. No web page can have one of them. */
const OWN_NAMES = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|localhost|0\.0\.0\.0|host\.docker\.internal)$/;

const HOST_FORM = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/;
const ADDRESS_FORM = /^(\[[0-9a-f:.]+\]|\d{1,3}(?:\.\d{1,3}){3})$/;

export interface HostRule {
  /** The listener's port. */
  port: number;
  /** Built-in names are accepted with any port, as behind a tunnel; else only with the listener's own. */
  anyPort?: boolean;
  /** Additional hosts, `name` (any port) or `name:port`. */
  allowed: readonly string[];
  /** A listener opened to the network accepts its literal addresses: only names can be rebound. */
  anyAddress?: boolean;
}

/** Does this `Host` header name our own listener? */
export function isAllowedHost(header: string | undefined, rule: HostRule): boolean {
  const match = HOST_FORM.exec(header?.trim().toLowerCase() ?? '');
  const name = match?.[1];
  if (!match || name === undefined) return false;
  const port = match[2] === undefined ? 80 : Number(match[2]);
  if ((rule.anyPort || port === rule.port) && OWN_NAMES.test(name)) return true;
  if (port === rule.port && rule.anyAddress && ADDRESS_FORM.test(name)) return true;
  return rule.allowed.some((entry) => {
    const wanted = entry.trim().toLowerCase();
    return wanted === name || wanted === `${name}:${port}`;
  });
}

/**
 * Does this `Origin` header belong to our own UI or to an allowed page? A request without one does not come from a
 * page's script; `null` (sandboxed frames, files) is never allowed.
 */
export function isAllowedOrigin(header: string | undefined, origins: readonly string[]): boolean {
  if (header === undefined) return true;
  const origin = header.trim().toLowerCase();
  if (origin === '' || origin === 'null') return false;
  return origins.some((entry) => entry.trim().toLowerCase().replace(/\/$/, '') === origin);
}

/** Can only this machine reach this address? */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Origins of a UI served on this port of this machine. */
export function localOrigins(port: number): string[] {
  return ['127.0.0.1', 'localhost', '[::1]'].map((name) => `http://${name}:${port}`);
}
