import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { CompletionRequest } from '../../shared/completion';
import { PRIORITIES, type Priority } from '../../shared/domain';
import { TandemError } from '../../shared/errors';
import { HOP_HEADER } from '../../shared/hop-header';
import { isLoopback } from '../../shared/local-origin';
import type { Trail } from './trail';

/** Room for some ten instances; more hops count as a loop. */
const MAX_HOPS_CHARS = 400;
const REQUEST_ID_FORM = /^[A-Za-z0-9._:-]{1,128}$/;

/** The client's own request id if it is well-formed, else a new one. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID_FORM.test(given) ? given : randomUUID();
}

/** `X-Request-Priority`; absent means medium, `normal` is a synonym for it. Throws `bad_request`. */
export function priorityOf(headers: IncomingHttpHeaders): Priority {
  const given = headers['x-request-priority'];
  if (given === undefined) return 'medium';
  const word = String(given).trim().toLowerCase();
  if (word === 'normal') return 'medium';
  const priority = PRIORITIES.find((known) => known === word);
  if (!priority)
    throw new TandemError('bad_request', 'X-Request-Priority must be high, medium, normal or low');
  return priority;
}

export function isStrict(headers: IncomingHttpHeaders): boolean {
  return String(headers['x-tandem-strict'] ?? '').toLowerCase() === 'true';
}

/**
 * The client: remote address (all loopback addresses are one), then a space and the product of its User-Agent, which
 * `X-Tandem-Client` splits further after a `#`. Limits count only the address: what a client says about itself only
 * names it and splits it for fairness.
 */
export function clientOf(address: string | undefined, headers: IncomingHttpHeaders): string {
  const product = /^[A-Za-z0-9._-]{1,64}/.exec(headers['user-agent'] ?? '')?.[0] ?? 'unknown';
  const split = /^[A-Za-z0-9._-]{1,64}$/.exec(String(headers['x-tandem-client'] ?? ''))?.[0];
  const base = `${limitedClientOf(address)} ${product}`;
  return split === undefined ? base : `${base}#${split}`;
}

/** The client that limits apply to: the remote address; all loopback addresses are one. */
export function limitedClientOf(address: string | undefined): string {
  const host = (address ?? 'unknown').replace(/^::ffff:/, '');
  return isLoopback(host) ? LOOPBACK : host;
}

export function isFromLoopback(address: string | undefined): boolean {
  return limitedClientOf(address) === LOOPBACK;
}

/** Does the rate limit count this request? Clients of the gateway on this machine are queued instead. */
export function isRateLimited(address: string | undefined, origin: CompletionRequest['origin']): boolean {
  return origin === 'mlx-api' || !isFromLoopback(address);
}

const LOOPBACK = '127.0.0.1';

/** The instances of Tandem that a request has passed through; undefined = none. */
export function hopsOf(headers: IncomingHttpHeaders): string | undefined {
  return headers[HOP_HEADER]?.toString();
}

/** Has this request passed through this instance before, or through too many? */
export function goesRound(headers: IncomingHttpHeaders, instanceId: string): boolean {
  const hops = hopsOf(headers);
  if (hops === undefined) return false;
  return hops.length > MAX_HOPS_CHARS || hops.split(/\s*,\s*/).includes(instanceId);
}

/** The known facts of the trail as headers. */
export function trailHeaders(trail: Trail): Record<string, string> {
  const headers: Record<string, string> = {};
  if (trail.backend) headers['X-Tandem-Backend'] = trail.backend;
  if (trail.model) headers['X-Tandem-Model'] = headerText(trail.model);
  if (trail.category) headers['X-Tandem-Category'] = trail.category;
  if (trail.queueMs !== null) headers['X-Tandem-Queue-Ms'] = String(Math.round(trail.queueMs));
  if (trail.reasons.length > 0) headers['X-Tandem-Reasons'] = headerText(trail.reasons.join(','));
  return headers;
}

/** Names may contain letters of any script; a header may not. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]+/gu, (part) => encodeURIComponent(part.toWellFormed()));
}
