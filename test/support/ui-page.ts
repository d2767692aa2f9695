import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { View } from '../../src/renderer/stores/ui-store';
import { launchChromium } from './chromium';
import { FakeCore } from './fake-bridge';
import { type RendererServer, serveRenderer } from './renderer-server';

/** A page of the UI on a fake core, new for each test of the file. */
export class UiPage {
  page!: Page;
  core!: FakeCore;
  url!: string;

  /** Opens the UI on this core and waits until it shows text, then switches to `view`. */
  async open(core: FakeCore = new FakeCore(), view?: View): Promise<void> {
    this.core = core;
    await core.install(this.page);
    await this.page.goto(this.url);
    const entry = this.page.getByTestId(`nav-${view ?? 'chat'}`);
    if (view) await entry.click();
    else await entry.waitFor();
  }

  /** Opens the UI with this chat shown. */
  async openChat(chatId: string, core: FakeCore): Promise<void> {
    await this.page.addInitScript((id) => sessionStorage.setItem('tandem.chat', id), chatId);
    await this.open(core);
  }

  readonly input = () => this.page.getByTestId('message-input');
  readonly answer = () => this.page.getByTestId('answer').last();
}

/** Gives each test of a file a page of the popover's size, and closes browser and server at the end. */
export function uiPage(): UiPage {
  const ui = new UiPage();
  let browser: Browser;
  let server: RendererServer;
  let context: BrowserContext;
  beforeAll(async () => {
    [browser, server] = await Promise.all([launchChromium(), serveRenderer()]);
    ui.url = server.url;
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 420, height: 640 }, reducedMotion: 'reduce' });
    ui.page = await context.newPage();
  });
  afterEach(() => context.close());
  return ui;
}

/** Messages of errors on the page, including violations of its policy; the list grows while the page is open. */
export function problemsOf(page: Page): string[] {
  const problems: string[] = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(String(error)));
  return problems;
}
