import type { Warning } from '../shared/contract';
import type { Details } from '../shared/status';

/** Where one listener is wanted. */
export interface ListenAddress {
  host: string;
  /** 0 = any free one. */
  port: number;
}

export interface ListenSettings {
  web: ListenAddress;
  gateway: ListenAddress;
  mlxApi: ListenAddress;
  /** Beside the built-in ones. */
  allowedHosts: string[];
  allowedOrigins: string[];
  /** One for each variable that was not understood. */
  warnings: Warning[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What a variable takes: in words, and as facts for a sentence in the UI's language. */
interface Accepted {
  words: string;
  details: Details;
}

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
/** Apps built on a browser have schemes of their own. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?\/?$/i;
const ALLOWED_HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i;

/**
 * Addresses of the listeners and who may talk to them. They are no settings of the UI: a page that moves its own
 * server would lose it. What is not understood is named with what is accepted, and the default holds.
 */
export function readListenSettings(env: Environment): ListenSettings {
  const warnings: Warning[] = [];
  const read = <T>(name: string, fallback: T, accepted: Accepted, parse: (text: string) => T | null): T => {
    const text = (env[name] ?? '').trim();
    if (text === '') return fallback;
    const value = parse(text);
    if (value !== null) return value;
    const message = `${name} was not understood and is ignored. Accepted: ${accepted.words}.`;
    warnings.push({ code: 'environment_invalid', message, details: { name, ...accepted.details } });
    return fallback;
  };
  const address = (prefix: string, port: number): ListenAddress => ({
    host: read(`${prefix}_HOST`, LOOPBACK, HOSTS, parseHost),
    port: read(`${prefix}_PORT`, port, PORTS, parsePort),
  });
  return {
    web: address('TANDEM_WEB', 11437),
    gateway: address('TANDEM_GATEWAY', 11436),
    mlxApi: address('TANDEM_MLX_API', 11435),
    allowedHosts: read(
      'TANDEM_ALLOWED_HOSTS',
      [],
      ALLOWED_HOSTS,
      listOf((entry) => ALLOWED_HOST.test(entry)),
    ),
    allowedOrigins: read(
      'TANDEM_ALLOWED_ORIGINS',
      [],
      ALLOWED_ORIGINS,
      listOf((entry) => ORIGIN.test(entry)),
    ),
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

/** A list counts as a whole: half of what a person allowed would be hard to find out. */
function listOf(isValid: (entry: string) => boolean): (text: string) => string[] | null {
  return (text) => {
    const entries = text
      .split(',')
      .map((entry) => entry.trim())
      .filter(Boolean);
    return entries.every(isValid) ? entries : null;
  };
}
