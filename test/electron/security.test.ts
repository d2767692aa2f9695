import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answerFile } from '../../src/main/electron/app-protocol';
import { CALL_CHANNEL } from '../../src/shared/channels';
import { cancellable, FakeSession } from '../support/fake-electron';
import { startShell } from '../support/shell-fixture';
import { tempDir } from '../support/temp-dir';

describe('the window', () => {
  it('is sandboxed, isolated and without Node', async () => {
    const { electron } = await startShell();
    expect(electron.app.sandboxed).toBe(true);
    expect(electron.window.options.webPreferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      webSecurity: true,
      devTools: false,
    });
    expect(electron.window.address).toBe('app://tandem/index.html');
  });

  it.each(['will-navigate', 'will-frame-navigate', 'will-redirect', 'will-attach-webview'])(
    'denies %s',
    async (name) => {
      const { electron } = await startShell();
      const event = cancellable();
      electron.window.webContents.emit(name, event, 'https://evil.example');
      expect(event.prevented).toBe(true);
    },
  );

  it('opens no further window and downloads nothing', async () => {
    const { electron } = await startShell();
    expect(electron.window.webContents.openHandler?.({ url: 'https://example.com' })).toEqual({
      action: 'deny',
    });
    const event = cancellable();
    electron.session.emit('will-download', event);
    expect(event.prevented).toBe(true);
  });
});

describe('permissions', () => {
  it.each([
    ['clipboard-sanitized-write', 'app://tandem/index.html', true],
    ['clipboard-sanitized-write', 'https://evil.example/', false],
    ['clipboard-read', 'app://tandem/index.html', false],
    ['media', 'app://tandem/index.html', false],
    ['geolocation', 'app://tandem/index.html', false],
    ['openExternal', 'app://tandem/index.html', false],
  ])('%s for %s is %s', async (permission, requestingUrl, granted) => {
    const { electron } = await startShell();
    const asked = await new Promise((answer) => {
      electron.session.requestHandler?.(null, permission, answer, { requestingUrl });
    });
    expect(asked).toBe(granted);
    expect(electron.session.checkHandler?.(null, permission, new URL(requestingUrl).href)).toBe(granted);
    expect(electron.session.deviceHandler?.()).toBe(false);
  });
});

it('denies the same to a session that is created later', async () => {
  const { electron } = await startShell();
  const later = new FakeSession();
  electron.app.emit('session-created', later);
  const event = cancellable();
  later.emit('will-download', event);
  expect(event.prevented).toBe(true);
  expect(later.checkHandler?.(null, 'media', 'app://tandem/')).toBe(false);
});

describe('calls from a page', () => {
  const own = { url: 'app://tandem/index.html', parent: null };

  it.each([
    ['our own page', own, true],
    ['a frame within it', { url: 'app://tandem/index.html', parent: own }, false],
    ['another host of our scheme', { url: 'app://evil/index.html', parent: null }, false],
    ['a name that starts like ours', { url: 'app://tandem.evil.example/', parent: null }, false],
    ['the web', { url: 'https://tandem/', parent: null }, false],
    ['a frame that is gone', null, false],
  ])('%s', async (_who, senderFrame, heard) => {
    const { electron, core } = await startShell();
    const call = electron.ipc.get(CALL_CHANNEL) as (...args: unknown[]) => Promise<unknown>;
    const outcome = await call({ senderFrame }, 'chatStop', { answerId: 'a' });
    expect(outcome).toMatchObject(heard ? { ok: true } : { ok: false, error: { code: 'forbidden_origin' } });
    expect(core.told).toHaveLength(heard ? 1 : 0);
  });

  it('are checked against the contract', async () => {
    const { electron } = await startShell();
    const call = electron.ipc.get(CALL_CHANNEL) as (...args: unknown[]) => Promise<unknown>;
    const answer = await call({ senderFrame: own }, 'chatStop', { answerId: 7 });
    expect(answer).toMatchObject({ ok: false, error: { code: 'bad_request' } });
    expect(await call({ senderFrame: own }, 'constructor', {})).toMatchObject({
      error: { code: 'not_found' },
    });
  });
});

describe('app://', () => {
  it.each([
    ['app://tandem/', 200, 'text/html; charset=utf-8'],
    ['app://tandem/assets/a.js', 200, 'text/javascript; charset=utf-8'],
    ['app://tandem/assets/', 404, null],
    ['app://tandem/../secret.html', 404, null],
    ['app://tandem/..%2fsecret.html', 404, null],
    ['app://tandem/%2e%2e%2fsecret.html', 404, null],
    ['app://tandem/assets/..%5c..%5csecret.html', 404, null],
    ['app://tandem/%00index.html', 404, null],
    ['app://tandem/%E0%A4%A', 404, null],
    ['app://tandem/notes.txt', 404, null],
    ['app://evil/index.html', 403, null],
  ])('%s is answered with %i', async (url, status, type) => {
    const dir = join(tempDir(), 'renderer');
    mkdirSync(join(dir, 'assets'), { recursive: true });
    writeFileSync(join(dir, 'index.html'), '<!doctype html>');
    writeFileSync(join(dir, 'assets', 'a.js'), '');
    writeFileSync(join(dir, 'notes.txt'), '');
    writeFileSync(join(dir, '..', 'secret.html'), 'secret');
    const answer = await answerFile({ url, method: 'GET' }, dir);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(answer.headers.get('content-security-policy')).not.toContain('unsafe-inline');
    expect(await answer.text()).not.toContain('secret');
  });

  it('answers nothing but GET', async () => {
    expect((await answerFile({ url: 'app://tandem/', method: 'POST' }, tempDir())).status).toBe(405);
  });
});
