import { pagePolicy } from '../../shared/page-policy';

/**
 * Headers of every response of the web UI: a strict policy, no framing, no referrer (the address may contain the token
 * until the page drops it). `host` is the checked Host header; for some browsers `'self'` does not include WebSockets.
 */
export function securityHeaders(host: string): Record<string, string> {
  return {
    'Content-Security-Policy': pagePolicy([`ws://${host}`]),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  };
}
