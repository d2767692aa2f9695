import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canTestWindow } from '../../../resources/setup/lib/test-electron.js';
import type { Bridge, Snapshot } from '../../../src/shared/contract';
import { SMALL_MODEL_NAME } from '../../../src/shared/domain';
import { NO_SERVERS } from '../../support/app';
import { CODE } from '../../support/counting-app';
import { livingOf, processesOf } from '../../support/processes';
import { type WindowApp, WindowBench } from './window-app';

const ROOT = resolve(import.meta.dirname, '..', '..', '..');

/** What our preload gives the page. */
interface Page {
  tandem: Bridge;
}

let bench: WindowBench;
let app: WindowApp;
/** A site of somebody else; counts the requests that reach it. */
let foreign: Server;
let reached = 0;

const foreignUrl = () => `http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`;
const isVisible = () => app.window.evaluate((window) => window.isVisible());
const isFocused = () => app.window.evaluate((window) => window.isFocused());

/** A click on the icon; no program shows icons on this display, so nobody else can click it. */
const click = () => app.icon.evaluate(({ tray }) => void tray.emit('click', {}, tray.getBounds()));

/** Clicks until the window is open: for 250 ms after it lost the focus or was hidden, a click does not open it. */
async function open(): Promise<void> {
  await expect
    .poll(async () => {
      if (!(await isVisible())) await click();
      return isFocused();
    })
    .toBe(true);
}

async function snapshot(): Promise<Snapshot> {
  const outcome = await app.page.evaluate(() => (window as unknown as Page).tandem.call('snapshot', {}));
  if (!outcome.ok) throw new Error(outcome.error.message);
  return outcome.value.snapshot;
}

/** Sends a message, and returns its finished answer. */
async function say(text: string) {
  const answers = app.page.getByTestId('answer');
  const before = await answers.count();
  await app.page.getByTestId('message-input').fill(text);
  await app.page.getByTestId('send').click();
  const answer = answers.nth(before);
  await answer.waitFor();
  await expect.poll(() => answer.getAttribute('data-status')).toMatch(/done|failed/);
  return answer;
}

async function screenshot(name: string): Promise<void> {
  const folder = join(ROOT, 'test-results', 'window');
  mkdirSync(folder, { recursive: true });
  await app.page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Ends the app by the icon's menu; resolves with how it ended. */
async function quit(): Promise<{ code: number | null; signal: string | null }> {
  const exited = once(app.electron.process(), 'exit');
  // After the answer to Playwright.
  await app.icon.evaluate((icon) => void setImmediate(() => icon.menu?.getMenuItemById('quit')?.click()));
  const [code, signal] = await exited;
  return { code, signal };
}

describe.skipIf(!canTestWindow(process))('the shell in a real Electron (needs Linux x64)', () => {
  beforeAll(async () => {
    foreign = createServer((_request, response) => {
      reached += 1;
      response.end('foreign');
    });
    foreign.listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    bench = await WindowBench.open();
    app = await bench.start();
    await app.page.getByTestId('message-input').waitFor();
  });

  afterAll(async () => {
    await app?.electron.close();
    await bench?.close();
    foreign?.close();
  });

  it('has an icon with a picture and a menu, and shows its window at the start', async () => {
    expect(await app.electron.evaluate(() => process.versions.electron)).toBe('22.3.25');
    const icon = await app.icon.evaluate(({ tray, image, menu }) => ({
      exists: !tray.isDestroyed(),
      size: image.getSize(),
      menu: menu?.items.filter(({ type }) => type !== 'separator').map(({ id }) => id),
    }));
    expect(icon).toEqual({
      exists: true,
      size: { width: 18, height: 18 },
      menu: ['open', 'restart-mlx', 'only-light', 'settings', 'quit'],
    });
    await expect.poll(isVisible).toBe(true);
  });

  it('loads our page into a window without Node', async () => {
    expect(app.page.url()).toBe('app://tandem/index.html');
    const seen = await app.page.evaluate(() => ({
      bridge: Object.keys((window as unknown as Page).tandem).sort(),
      node: ['require', 'process', 'module', 'Buffer'].filter((name) => name in globalThis),
    }));
    expect(seen).toEqual({ bridge: ['call', 'onConnection', 'subscribe'], node: [] });
  });

  it('hides on Escape, and opens under the icon by a click on it', async () => {
    await open();
    await app.page.keyboard.press('Escape');
    await expect.poll(isVisible).toBe(false);
    await open();
    const { x, width } = bench.trayBounds;
    await expect
      .poll(() => app.window.evaluate((window) => window.getBounds()))
      .toEqual({ x: x + width / 2 - 210, y: 28, width: 420, height: 640 });
    await screenshot('opened');
    await click();
    await expect.poll(isVisible).toBe(false);
  });

  it('hides when another window gets the focus', async () => {
    await open();
    const other = await app.electron.evaluateHandle(
      ({ BrowserWindow }) => new BrowserWindow({ width: 200, height: 200, x: 0, y: 0 }),
    );
    await other.evaluate((window) => window.focus());
    await expect.poll(isVisible).toBe(false);
    await other.evaluate((window) => window.destroy());
  });

  it('is shown by a second instance, which exits', async () => {
    expect(await isVisible()).toBe(false);
    const second = spawn(bench.executable, bench.args, {
      cwd: ROOT,
      env: bench.environment(),
      stdio: 'ignore',
    });
    expect((await once(second, 'exit'))[0]).toBe(0);
    await expect.poll(isVisible).toBe(true);
  });

  it('refuses navigation, new windows, frames and requests to another site', async () => {
    await app.electron.evaluate(({ BrowserWindow }) => {
      const seen: unknown[] = [];
      Object.assign(globalThis, { seen });
      BrowserWindow.getAllWindows()[0]?.webContents.on('will-navigate', (event) =>
        seen.push(event.defaultPrevented),
      );
    });
    const opened = await app.page.evaluate(async (url) => {
      const child = window.open(url);
      const frame = document.createElement('iframe');
      const framed = new Promise((done) => frame.addEventListener('load', done));
      frame.src = url;
      document.body.append(frame);
      await framed;
      frame.remove();
      const fetched = await fetch(url).then(
        () => true,
        () => false,
      );
      location.href = url;
      return { child, fetched };
    }, foreignUrl());
    expect(opened).toEqual({ child: null, fetched: false });
    const seen = () => app.electron.evaluate(() => (globalThis as unknown as { seen: unknown[] }).seen);
    await expect.poll(seen).toEqual([true]);
    expect(app.page.url()).toBe('app://tandem/index.html');
    expect(await app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
    expect(reached).toBe(0);
    // Playwright would wait for the refused navigation.
    await app.page.reload();
  });

  it('grants no permission but to write to the clipboard', async () => {
    await open();
    const denied = await app.page.evaluate(async () => ({
      notifications: await Notification.requestPermission(),
      place: await new Promise((done) =>
        navigator.geolocation.getCurrentPosition(
          () => done('granted'),
          ({ code, PERMISSION_DENIED }) => done(code === PERMISSION_DENIED ? 'denied' : code),
        ),
      ),
      microphone: await navigator.mediaDevices.getUserMedia({ audio: true }).catch(({ name }) => name),
      clipboard: await navigator.clipboard.readText().catch(({ name }) => name),
    }));
    expect(denied).toEqual({
      notifications: 'denied',
      place: 'denied',
      microphone: 'NotAllowedError',
      clipboard: 'NotAllowedError',
    });
    await app.page.evaluate(() => navigator.clipboard.writeText('written by the page'));
    expect(await app.electron.evaluate(({ clipboard }) => clipboard.readText())).toBe('written by the page');
  });

  it('does not answer a foreign page that has our preload', async () => {
    const preload = join(ROOT, 'out', 'preload', 'index.cjs');
    const outcome = await app.electron.evaluate(async ({ BrowserWindow }, preload) => {
      const webPreferences = { preload, sandbox: true, contextIsolation: true };
      const window = new BrowserWindow({ show: false, webPreferences });
      await window.loadURL('data:text/html,foreign');
      const answer = await window.webContents.executeJavaScript('window.tandem.call("snapshot", {})');
      window.destroy();
      return answer;
    }, preload);
    expect(outcome).toMatchObject({ ok: false, error: { code: 'forbidden_origin' } });
  });

  it('answers a question with MLX and a coding task with Ollama, and labels both', async () => {
    const state = async (id: string) => (await snapshot()).backends.find((row) => row.id === id)?.state;
    await expect.poll(() => state('mlx')).toBe('ready');
    await expect
      .poll(async () => (await snapshot()).models.filter(({ name }) => name === SMALL_MODEL_NAME).length)
      .toBeGreaterThan(1);
    await open();
    const capital = await say('What is the capital of France?');
    expect(await capital.getAttribute('data-status')).toBe('done');
    expect(await capital.getAttribute('data-backend')).toBe('mlx');
    expect(await capital.getByTestId('answer-label').textContent()).toContain('MLX');
    expect(await capital.textContent()).toContain('Paris');
    await screenshot('answered-by-mlx');
    const code = await say(CODE);
    expect(await code.getAttribute('data-status')).toBe('done');
    expect(await code.getAttribute('data-backend')).toBe('ollama');
    expect(await code.getByTestId('answer-label').textContent()).toContain('Ollama');
    await screenshot('answered-by-ollama');
  });

  it('restarts MLX by the button', async () => {
    const mlx = async () => (await snapshot()).backends.find(({ id }) => id === 'mlx');
    const before = (await mlx())?.pid;
    expect(before).toBeTypeOf('number');
    await app.page.getByTestId('nav-status').click();
    await app.page.getByTestId('restart-mlx').click();
    await expect.poll(async () => [before, null].includes((await mlx())?.pid ?? null)).toBe(false);
    const row = app.page.getByTestId('status-mlx');
    await expect.poll(() => row.getAttribute('data-state')).toBe('ready');
    await screenshot('restarted');
  });

  it('switches MLX_ONLY_LIGHT off, which a reload of the page keeps', async () => {
    const toggle = app.page.getByTestId('mlx-only-light');
    await app.page.getByTestId('nav-settings').click();
    expect(await toggle.getAttribute('aria-checked')).toBe('true');
    await toggle.click();
    await expect.poll(() => toggle.getAttribute('aria-checked')).toBe('false');
    await screenshot('settings');
    await app.page.reload();
    await app.page.getByTestId('nav-settings').click();
    await expect.poll(() => toggle.getAttribute('aria-checked')).toBe('false');
  });

  it('leaves no process and no listener when it quits', async () => {
    const { pid } = app.electron.process();
    if (pid === undefined) throw new Error('Electron has no process');
    const { gatewayUrl, mlxApiUrl } = (await snapshot()).app;
    const pids = [pid, ...(await processesOf(pid))];
    const commands = (await livingOf(pids)).join('\n');
    for (const part of ['entry.mjs', 'launch.py', 'ollama serve', '--type=renderer'])
      expect(commands).toContain(part);
    expect(await quit()).toEqual({ code: 0, signal: null });
    await expect.poll(() => livingOf(pids)).toEqual([]);
    for (const url of [gatewayUrl, mlxApiUrl]) await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  it('starts again with the setting as it was left', async () => {
    app = await bench.start(NO_SERVERS);
    // The core has started when its ports listen.
    await expect.poll(async () => (await snapshot()).app.gatewayUrl).not.toBeNull();
    await app.page.getByTestId('nav-settings').click();
    expect(await app.page.getByTestId('mlx-only-light').getAttribute('aria-checked')).toBe('false');
    expect(await quit()).toEqual({ code: 0, signal: null });
  });
});
