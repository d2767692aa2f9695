import type { Warning } from '../../shared/contract';
import { type Accepted, variableInvalid } from '../ports/variable-invalid';

/** The address for one listener. */
export interface ListenAddress {
  host: string;
  /** 0 = any free one. */
  port: number;
}

export interface ListenSettings {
  web: ListenAddress;
  gateway: ListenAddress;
  mlxApi: ListenAddress;
  /** In addition to the built-in ones. */
  allowedHosts: string[];
  allowedOrigins: string[];
  /** One for each variable that does not parse. */
  warnings: Warning[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const HOSTS: Accepted = {
  words: 'an address such as 127.0.0.1 or ::1',
  details: { accepted: 'list', example: '127.0.0.1, ::1' },
};
const PORTS: Accepted = {
  words: 'a whole number from 0 (any free port) to 65535',
  details: { accepted: 'whole', low: 0, high: 65_535 },
};
const ALLOWED_HOSTS: Accepted = {
  words: 'host names such as studio.local or studio.local:11436, separated by commas',
  details: { accepted: 'commas', example: 'studio.local, studio.local:11436' },
};
const ALLOWED_ORIGINS: Accepted = {
  words: 'origins such as https://studio.local, separated by commas',
  details: { accepted: 'commas', example: 'https://studio.local' },
};

const LOOPBACK = '127.0.0.1';
const HOST = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$|^[0-9a-f:.]*:[0-9a-f:.]*$/i;
/** Apps built on a browser have their own URL schemes. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?\/?$/i;
const ALLOWED_HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i;

/**
 * Addresses of the listeners, and the hosts and origins they accept. They are not settings of the UI: a page that moved
 * its own server would lose the connection. An invalid variable becomes a warning with what is accepted, and the
 * default applies; of a list the valid entries apply.
 */
export function readListenSettings(env: Environment): ListenSettings {
  const warnings: Warning[] = [];
  const read = <T>(name: string, fallback: T, accepted: Accepted, parse: (text: string) => T | null): T => {
    const text = (env[name] ?? '').trim();
    if (text === '') return fallback;
    const value = parse(text);
    if (value !== null) return value;
    warnings.push(variableInvalid(name, accepted));
    return fallback;
  };
  /** The valid entries of a list apply; each other entry becomes a warning. */
  const readList = (name: string, accepted: Accepted, form: RegExp): string[] => {
    const entries = (env[name] ?? '').split(',').flatMap((entry) => entry.trim() || []);
    const good = entries.filter((entry) => form.test(entry));
    const bad = entries.filter((entry) => !form.test(entry));
    if (good.length === 0 && bad.length > 0) warnings.push(variableInvalid(name, accepted));
    else for (const entry of bad) warnings.push(variableInvalid(name, accepted, entry));
    return good;
  };
  const address = (prefix: string, port: number): ListenAddress => ({
    host: read(`${prefix}_HOST`, LOOPBACK, HOSTS, parseHost),
    port: read(`${prefix}_PORT`, port, PORTS, parsePort),
  });
  return {
    web: address('TANDEM_WEB', 11437),
    gateway: address('TANDEM_GATEWAY', 11436),
    mlxApi: address('TANDEM_MLX_API', 11435),
    allowedHosts: readList('TANDEM_ALLOWED_HOSTS', ALLOWED_HOSTS, ALLOWED_HOST),
    allowedOrigins: readList('TANDEM_ALLOWED_ORIGINS', ALLOWED_ORIGINS, ORIGIN),
    warnings,
  };
}

function parsePort(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? port : null;
}

function parseHost(text: string): string | null {
  return HOST.test(text) ? text : null;
}
