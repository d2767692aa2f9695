/**
 * Starts the built app in the real Electron, sends "hello" and waits for an answer. Run by `npm run smoke`, which names
 * the binary in `TANDEM_ELECTRON`. Unproven on macOS until the workflow's job has run.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { _electron } from 'playwright-core';

const root = resolve(import.meta.dirname, '..', '..');
const dataDir = await mkdtemp(join(tmpdir(), 'tandem-smoke-'));
const ports = { TANDEM_GATEWAY_PORT: '0', TANDEM_MLX_API_PORT: '0', TANDEM_WEB_PORT: '0' };

const app = await _electron.launch({
  executablePath: process.env.TANDEM_ELECTRON,
  args: [root],
  env: { ...process.env, ...ports, TANDEM_DATA_DIR: dataDir },
  timeout: 60_000,
});

try {
  const window = await app.firstWindow({ timeout: 60_000 });
  const input = window.getByTestId('message-input');
  await input.waitFor({ timeout: 30_000 });
  // The first start sets MLX up; the status shows when it is ready.
  await window.getByTestId('nav-status').click();
  await window.locator('[data-testid=status-mlx][data-state=ready]').waitFor({ timeout: 600_000 });
  await window.getByTestId('nav-chat').click();
  await input.fill('hello');
  await window.getByTestId('send').click();
  const answer = window.locator('[data-testid=answer][data-status=done]');
  await answer.waitFor({ timeout: 60_000 });
  const text = (await answer.textContent()) ?? '';
  assert.ok(text.trim().length > 0, 'the answer is empty');
  assert.equal(await answer.getAttribute('data-backend'), 'mlx');
  const isolated = await window.evaluate(() => typeof globalThis.require === 'undefined');
  assert.ok(isolated, 'the window can reach Node');
  process.stdout.write('A window opened and the chat answered.\n');
} finally {
  await app.close();
  await rm(dataDir, { recursive: true, force: true });
}
