import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserWindow, Rectangle } from 'electron';
import { _electron, type ElectronApplication, type JSHandle, type Page } from 'playwright-core';
import { cleanEnvironment, PATIENCE_MS } from '../../support/app';
import { type BuiltEntry, buildEntry } from '../../support/build-worker';
import { runtimeDir, testElectron } from '../../support/runtimes';
import { type Desktop, startDesktop } from './desktop';
import type { Icon } from './old-electron';

const ROOT = resolve(import.meta.dirname, '..', '..', '..');

/** Timeout of one action in the page, ms; shorter than that of a test, whose error would say less. */
const ACTION_MS = 120_000;

/** In the environment variable `TANDEM_WINDOW_TEST`, as JSON. */
export interface WindowTest {
  /** Bounds that the icon reports. */
  trayBounds: Rectangle;
  dataDir: string;
  /** A Node that runs the core. */
  node: string;
  /** The bundled core. */
  core: string;
  /** Runs before our preload. */
  pagePreload: string;
}

/** The started app, and Playwright's connections to it. */
export interface WindowApp {
  electron: ElectronApplication;
  page: Page;
  window: JSHandle<BrowserWindow>;
  icon: JSHandle<Icon>;
}

/** Everything that the window test needs on this machine, in a folder of its own. */
export class WindowBench {
  readonly trayBounds: Rectangle = { x: 900, y: 0, width: 24, height: 24 };
  readonly executable = testElectron();
  /** There is a microphone to refuse. */
  readonly args = ['--disable-gpu', '--no-sandbox', '--use-fake-device-for-media-stream'];
  readonly dataDir: string;
  readonly #folder: string;
  readonly #desktop: Desktop;
  readonly #built: readonly BuiltEntry[];

  private constructor(folder: string, desktop: Desktop, built: readonly BuiltEntry[]) {
    this.#folder = folder;
    this.#desktop = desktop;
    this.#built = built;
    this.dataDir = join(folder, 'data');
  }

  /** Bundles both processes and starts the display. */
  static async open(): Promise<WindowBench> {
    const folder = await mkdtemp(join(tmpdir(), 'tandem-window-'));
    await mkdir(join(folder, 'home'));
    const built = await Promise.all([
      buildEntry('test/electron/real/main.ts', true),
      buildEntry('test/electron/real/core-host.ts'),
    ]);
    return new WindowBench(folder, await startDesktop(folder), built);
  }

  /** The environment of Electron: nothing of the user's, and no message bus, which would start programs. */
  environment(extra: Record<string, string> = {}): Record<string, string> {
    const [main, core] = this.#built.map(({ url }) => fileURLToPath(url));
    const home = join(this.#folder, 'home');
    const test: WindowTest = {
      trayBounds: this.trayBounds,
      dataDir: this.dataDir,
      node: process.execPath,
      core: core ?? '',
      pagePreload: join(import.meta.dirname, 'newer-page.cjs'),
    };
    return cleanEnvironment(this.dataDir, {
      HOME: home,
      XDG_CACHE_HOME: join(home, '.cache'),
      TANDEM_RUNTIME_DIR: runtimeDir(),
      DISPLAY: this.#desktop.display,
      DBUS_SESSION_BUS_ADDRESS: 'disabled:',
      TANDEM_WINDOW_MAIN: main ?? '',
      TANDEM_WINDOW_TEST: JSON.stringify(test),
      LANG: 'en_GB.UTF-8',
      ...extra,
    });
  }

  /** Starts the app and waits for its page. Rejects with Electron's output if there is none. */
  async start(extra: Record<string, string> = {}): Promise<WindowApp> {
    const electron = await _electron.launch({
      executablePath: this.executable,
      args: this.args,
      cwd: ROOT,
      env: this.environment(extra),
      timeout: PATIENCE_MS,
    });
    const log: string[] = [];
    electron.process().stderr?.on('data', (text: Buffer) => log.push(String(text)));
    try {
      electron.context().setDefaultTimeout(ACTION_MS);
      const page = await electron.firstWindow({ timeout: ACTION_MS });
      const window = await electron.browserWindow(page);
      const icon = await electron.evaluateHandle(
        () => (globalThis as unknown as { tandemIcon: Icon }).tandemIcon,
      );
      return { electron, page, window, icon };
    } catch (error) {
      await electron.close();
      throw new Error(`${(error as Error).message}\n${log.join('')}`);
    }
  }

  async close(): Promise<void> {
    await this.#desktop.stop();
    for (const entry of this.#built) await entry.remove();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
