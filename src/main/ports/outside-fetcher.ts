import { readFileSync } from 'node:fs';
import { getCACertificates, rootCertificates } from 'node:tls';
import { EnvHttpProxyAgent, fetch as undiciFetch } from 'undici';
import { TandemError } from '../../shared/errors';
import type { Fetcher } from './fetcher';
import { bounded } from './node-fetcher';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * HTTP for calls that leave this machine on a user's request: through the environment's proxy (`HTTPS_PROXY`,
 * `HTTP_PROXY`, `NO_PROXY`), with the system's certificates and those of `SSL_CERT_FILE`. Redirects are followed;
 * bodies are limited as in `createNodeFetcher`. Rejects with `pull_failed` if `SSL_CERT_FILE` cannot be read. Each call opens and closes its own connections: there is one in minutes.
 */
export function createOutsideFetcher(env: Env): Fetcher {
  return (async (input: string | URL, init?: Parameters<typeof undiciFetch>[1]) => {
    const tls = { ca: certificates(env) };
    const agent = new EnvHttpProxyAgent({
      ...proxies(env),
      connect: { timeout: 10_000, ...tls },
      requestTls: tls,
      proxyTls: tls,
      keepAliveTimeout: 1,
    });
    return bounded(await undiciFetch(input, { ...init, dispatcher: agent }));
  }) as unknown as Fetcher;
}

function proxies(env: Env) {
  const all = env.all_proxy ?? env.ALL_PROXY;
  // Undici would read the variables of this process; '' = no proxy.
  return {
    httpProxy: env.http_proxy ?? env.HTTP_PROXY ?? all ?? '',
    httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? all ?? '',
    noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
  };
}

function certificates({ SSL_CERT_FILE }: Env): string[] {
  return [
    ...rootCertificates,
    ...systemCertificates(),
    ...(SSL_CERT_FILE ? [ownCertificates(SSL_CERT_FILE)] : []),
  ];
}

function ownCertificates(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const words = `SSL_CERT_FILE names ${path}, which cannot be read. Correct or unset it, then restart Tandem.`;
    throw new TandemError('pull_failed', words, { cause, details: { problem: 'certificate_file', path } });
  }
}

/** Those of the keychain; a system without a readable store has none. */
function systemCertificates(): string[] {
  try {
    return getCACertificates('system');
  } catch {
    return [];
  }
}
