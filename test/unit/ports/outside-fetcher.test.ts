import { expect, it } from 'vitest';
import { lookUpInRegistry } from '../../../src/main/models/downloads/registry-lookup';
import { createOutsideFetcher } from '../../../src/main/ports/outside-fetcher';

it('an unreadable SSL_CERT_FILE is reported as that, not as trouble with the network', async () => {
  const fetcher = createOutsideFetcher({ SSL_CERT_FILE: '/no/such/ca.pem' });
  const look = lookUpInRegistry('127.0.0.1:9/library/a', fetcher, new AbortController().signal);
  await expect(look).rejects.toMatchObject({
    code: 'pull_failed',
    details: { problem: 'certificate_file', path: '/no/such/ca.pem' },
  });
});
