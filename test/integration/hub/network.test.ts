import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOutsideFetcher } from '../../../src/main/ports/outside-fetcher';
import { hubFixture, randomModelFiles } from '../../support/hub-fixture';
import { HubServer } from '../../support/hub-server';
import { TINY } from '../../support/random-model';

/** Networks of companies: a proxy, a certificate of their own. */

const NAME = 'org/random-model';
let files: Record<string, Buffer>;
let folder: string;
let tls: { key: string; cert: string };
const caFile = () => join(folder, 'ca.pem');

beforeAll(async () => {
  files = await randomModelFiles(TINY);
  folder = mkdtempSync(join(tmpdir(), 'tandem-ca-'));
  tls = certificate();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A certificate authority of the test, and a certificate of this machine by it. */
function certificate(): { key: string; cert: string } {
  const run = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'rsa:2048', '-nodes'];
  run('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Company', '-days', '2');
  run('req', ...key, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', '/CN=localhost');
  writeFileSync(join(folder, 'san.cnf'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
  run('x509', '-req', '-in', 'request.pem', ...by, '-out', 'cert.pem', '-days', '2', '-extfile', 'san.cnf');
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  return { key: read('key.pem'), cert: read('cert.pem') };
}

describe('the hub', () => {
  it("is reached through the environment's proxy, also for the large files", async () => {
    const hub = await new HubServer().listen();
    try {
      hub.repos[NAME] = { files };
      // No such hosts exist: only the proxy can answer.
      hub.cdnHost = 'files.hub.invalid';
      const env = { HF_ENDPOINT: 'http://hub.invalid', HTTP_PROXY: hub.url };
      const { pull, scan } = await hubFixture(hub, { env });
      await pull(NAME);
      expect(new Set(hub.requests.map(({ host }) => host))).toEqual(
        new Set(['hub.invalid', 'files.hub.invalid']),
      );
      expect((await scan()).models).toHaveLength(1);
    } finally {
      await hub.close();
    }
  });

  it('is trusted by the certificates of SSL_CERT_FILE; without them the failure names the cure', async () => {
    const hub = await new HubServer(tls).listen();
    try {
      hub.repos[NAME] = { files };
      const { pull } = await hubFixture(hub);
      await expect(pull(NAME)).rejects.toMatchObject({
        code: 'pull_failed',
        message: expect.stringMatching(/SSL_CERT_FILE/),
        details: { problem: 'certificate' },
      });
      const trusting = await hubFixture(hub, { env: { SSL_CERT_FILE: caFile() } });
      await trusting.pull(NAME);
      expect((await trusting.scan()).models).toHaveLength(1);
    } finally {
      await hub.close();
    }
  });
});

describe('calls of the host that leave this machine', () => {
  it('go through the proxy', async () => {
    const hub = await new HubServer().listen();
    try {
      hub.repos[NAME] = { files };
      const described = `http://hub.invalid/api/models/${NAME}`;
      const body = await (await createOutsideFetcher({ HTTP_PROXY: hub.url })(described)).json();
      expect(body).toMatchObject({ id: NAME });
      expect(hub.requests.map(({ host }) => host)).toEqual(['hub.invalid']);
      const past = createOutsideFetcher({ HTTP_PROXY: hub.url, NO_PROXY: 'hub.invalid' });
      await expect(past(described)).rejects.toThrow();
    } finally {
      await hub.close();
    }
  });

  it('trust the certificates of SSL_CERT_FILE', async () => {
    const hub = await new HubServer(tls).listen();
    try {
      hub.repos[NAME] = { files };
      const described = `${hub.url}/api/models/${NAME}`;
      await expect(createOutsideFetcher({})(described)).rejects.toThrow();
      const trusting = createOutsideFetcher({ SSL_CERT_FILE: caFile() });
      expect(await (await trusting(described)).json()).toMatchObject({ id: NAME });
    } finally {
      await hub.close();
    }
  });
});
