import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type App, ask, until } from '../support/app';
import { type ContractClient, connect } from '../support/contract-client';
import { COUNTING, startCountingApp } from '../support/counting-app';
import { mlxPython, ollamaProgram } from '../support/runtimes';

/** A managed runtime is removed in Settings while its server runs, and then set up again. */

const PROGRAMS = { mlx: mlxPython, ollama: ollamaProgram };
type Name = keyof typeof PROGRAMS;

let runtimeDir: string;
let app: App;
let ui: ContractClient;

beforeAll(async () => {
  runtimeDir = mkdtempSync(join(tmpdir(), 'tandem-runtimes-'));
  lendRuntime('mlx');
  lendRuntime('ollama');
  // `npm test` names the programs, which would take precedence.
  const env = { TANDEM_RUNTIME_DIR: runtimeDir, TANDEM_OLLAMA_BIN: '', TANDEM_MLX_PYTHON: '' };
  app = await startCountingApp({ env });
  ui = await connect(app.ready.web);
});
afterAll(async () => {
  await app?.stop();
  await app?.remove();
  rmSync(runtimeDir, { recursive: true, force: true });
});

/** The runtime without its gigabyte: its stamp, a link to its libraries, and a script that runs its program. */
function lendRuntime(name: Name): string {
  const program = PROGRAMS[name]();
  const real = dirname(dirname(program));
  const folder = join(runtimeDir, basename(real));
  mkdirSync(join(folder, 'bin'), { recursive: true });
  symlinkSync(join(real, 'lib'), join(folder, 'lib'));
  writeFileSync(join(folder, 'bin', basename(program)), `#!/bin/sh\nexec '${program}' "$@"\n`, {
    mode: 0o755,
  });
  copyFileSync(join(real, 'tandem-runtime.json'), join(folder, 'tandem-runtime.json'));
  return folder;
}

it.each<Name>(['mlx', 'ollama'])('%s is absent until it is set up again, and then ready', async (name) => {
  const server = async () => (await ui.snapshot()).backends.find(({ id }) => id === name);
  const before = await server();
  expect(before).toMatchObject({ state: 'ready', ownership: 'managed' });

  const { setup } = await ui.snapshot();
  expect(setup.find(({ part }) => part === name)).toMatchObject({ stage: 'ready', source: 'managed' });
  const { runtimes } = await ui.value('runtimesList', {});
  const runtime = runtimes.find((each) => each.name === name);
  expect(runtime).toMatchObject({ inUse: true });
  const folder = join(runtimeDir, `${name}-${runtime?.version}`);
  await ui.value('runtimesRemove', { name, version: String(runtime?.version) });
  expect(existsSync(folder)).toBe(false);
  // At once, without any further event.
  expect(await server()).toMatchObject({ state: 'absent', pid: null, absence: { code: 'runtime_removed' } });

  expect(lendRuntime(name)).toBe(folder);
  await ui.value('setupRetry', { part: name });
  const after = await until(async () => {
    const now = await server();
    return now?.state === 'ready' && now;
  }, `${name} ready again`);
  expect(after).toMatchObject({ absence: null, restarts: 0, lastError: null });
  expect(after.pid).not.toBe(before?.pid);
  const answer = await ask(app.ready.gateway, 'hello', { model: `${name}/${COUNTING}` });
  expect(answer).toMatchObject({ status: 200, backend: name });
});
