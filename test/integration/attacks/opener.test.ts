import { access, chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { NO_SERVERS, until } from '../../support/app';
import { spawnHost } from '../../support/host-process';
import { tempDir } from '../../support/temp-dir';

/** Every user of the machine can read the command line of the program that opens the browser. On the built host. */
it('the opener gets a single-use address, not the token', async () => {
  const folder = tempDir();
  const opened = join(folder, 'opened');
  for (const name of ['open', 'xdg-open']) {
    await writeFile(
      join(folder, name),
      `#!/bin/sh\nprintf %s "$*" > "${opened}.new"\nmv "${opened}.new" "${opened}"\n`,
    );
    await chmod(join(folder, name), 0o755);
  }
  const env = {
    ...NO_SERVERS,
    TANDEM_WEB_TOKEN: 'the-permanent-token',
    PATH: `${folder}:${process.env.PATH}`,
  };
  const host = spawnHost({ dataDir: join(folder, 'data'), env, opens: true });
  onTestFinished(async () => {
    host.child.kill('SIGTERM');
    await host.ended;
  });
  await host.printed('ready {');
  await until(
    () =>
      access(opened).then(
        () => true,
        () => false,
      ),
    'the browser is opened',
  );
  const address = await readFile(opened, 'utf8');
  expect(address).not.toContain('the-permanent-token');
  const { origin, searchParams } = new URL(address);
  const signIn = () =>
    fetch(`${origin}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: searchParams.get('token') }),
    });
  expect((await signIn()).status).toBe(200);
  expect((await signIn()).status).toBe(401);
});
