import { mkdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium';
import type { FakeCore } from '../support/fake-bridge';
import { type RendererServer, serveRenderer } from '../support/renderer-server';
import { problemsOf } from '../support/ui-page';
import { MODEL_SCREENS } from './model-screens';
import { README_PICTURES } from './readme-pictures';
import { type Language, SCREENS, type Screen } from './screens';

const FOLDER = resolve(import.meta.dirname, '../../test-results/screens');
const README_FOLDER = resolve(import.meta.dirname, '../../resources/screenshots');
const SIZES = { popover: { width: 420, height: 640 }, wide: { width: 1280, height: 800 } };
/**
 * `TANDEM_SCREENS=all` takes every size, theme and language, in twice the resolution; `TANDEM_SCREENS=chat,status` only
 * these states; `TANDEM_SCREENS=readme` writes the README's pictures to `resources/screenshots/` and takes no others.
 */
const wish = process.env.TANDEM_SCREENS;
const wanted = wish && wish !== 'all' ? wish.split(',') : null;
const LOOKS = [
  ['popover', 'light', 'en'],
  ['popover', 'dark', 'ru'],
  ['wide', 'light', 'en'],
  ['popover', 'dark', 'en'],
  ['popover', 'light', 'ru'],
  ['wide', 'dark', 'ru'],
] as const;

let browser: Browser;
let server: RendererServer;

beforeAll(async () => {
  await mkdir(FOLDER, { recursive: true });
  [browser, server] = await Promise.all([launchChromium(), serveRenderer()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** Fills five minutes of memory and queue history at once, so that the charts have data. */
async function pastMinutes(page: Page, core: FakeCore): Promise<void> {
  const { memory, queue } = core.snapshot;
  if (!memory) return;
  const now = Date.now();
  const first = core.revision;
  const steps = Array.from({ length: 61 }, (_, step) => {
    const left = 60 - step;
    const wave = left === 0 ? 0 : Math.sin(left / 7) * 5 - (left > 35 ? 9 : 0) + (left % 5);
    const depth = Math.max(0, Math.round(Math.sin(left / 4) * 2));
    const stats = { ...queue.stats, depth, running: left % 9 === 0 ? 0 : queue.stats.running };
    const patch = {
      memory: { ...memory, usedPercent: memory.usedPercent + wave },
      queue: left === 0 ? queue : { ...queue, stats },
    };
    return {
      at: now - left * 5_000,
      push: { name: 'patch', payload: { revision: first + step + 1, patch } },
    };
  });
  core.revision = first + steps.length;
  await page.evaluate((list) => {
    const real = Date.now;
    for (const { at, push } of list) {
      Date.now = () => at;
      window.fakePush?.(push);
    }
    Date.now = real;
  }, steps);
}

interface Look {
  size: keyof typeof SIZES;
  theme: 'light' | 'dark';
  language: Language;
  scale?: number;
}

const windows = new Map<string, Promise<BrowserContext>>();

/** One window for each look: its pages reuse the program that the first page has compiled. */
function windowFor(size: Look['size'], theme: Look['theme'], scale: number): Promise<BrowserContext> {
  const key = `${size} ${theme} ${scale}`;
  const made =
    windows.get(key) ??
    browser.newContext({
      viewport: SIZES[size],
      deviceScaleFactor: scale,
      colorScheme: theme,
      reducedMotion: 'reduce',
    });
  windows.set(key, made);
  made.catch(() => windows.delete(key));
  return made;
}

/** Opens a screen, takes its picture, and returns the problems found in it. */
async function picture(
  screen: Screen,
  { size, theme, language, scale = wish ? 2 : 1 }: Look,
  path: string,
): Promise<string[]> {
  const context = await windowFor(size, theme, scale);
  const page = await context.newPage();
  await page.addInitScript(() => localStorage.clear());
  const problems = problemsOf(page);
  const core = screen.core(language);
  await core.install(page);
  const chat = core.snapshot.chats[0]?.id;
  if (chat) await page.addInitScript((id) => sessionStorage.setItem('tandem.chat', id), chat);
  await page.goto(server.url);
  await page.getByTestId('nav-chat').waitFor();
  await pastMinutes(page, core);
  if (screen.open) await page.getByTestId(`nav-${screen.open}`).click();
  if (screen.press) {
    const buttons = page.getByRole('button', { name: screen.press[language] });
    await (screen.pressLast ? buttons.last() : buttons.first()).click();
  }
  if (screen.show) {
    const words = page.getByText(screen.show[language], { exact: true }).first();
    await words.click();
    await words.evaluate((element) => element.scrollIntoView({ block: 'start' }));
  }
  if (screen.scrollTo)
    await page.getByTestId(screen.scrollTo).evaluate((element) => element.scrollIntoView({ block: 'start' }));
  if (screen.act) await screen.act(page, language);
  // Charts load on demand, and their size is measured after that.
  if (screen.open === 'status' || size === 'wide') await page.locator('.recharts-surface').nth(1).waitFor();
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path });
  const wide = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return null;
    const outside = [...document.body.querySelectorAll('*')].filter(
      (element) => element.getBoundingClientRect().right > clientWidth,
    );
    return `${outside.at(-1)?.outerHTML.slice(0, 300)}`;
  });
  if (wide) problems.push(`the page is wider than the window: ${wide}`);
  await page.close();
  return problems;
}

describe.each([...SCREENS, ...MODEL_SCREENS].filter(({ name }) => !wanted || wanted.includes(name)))(
  '$name',
  (screen) => {
    it.each(wish ? LOOKS : LOOKS.slice(0, 2))(
      'shows without an error: %s, %s, %s',
      async (size, theme, language) => {
        const path = `${FOLDER}/${screen.name}-${size}-${theme}-${language}.png`;
        expect(await picture(screen, { size, theme, language }, path)).toEqual([]);
      },
    );
  },
);

describe('pictures of the README', () => {
  it.each(README_PICTURES)('$screen.name', async ({ screen, ...look }) => {
    const path = `${wish === 'readme' ? README_FOLDER : FOLDER}/${screen.name}.png`;
    expect(await picture(screen, look, path)).toEqual([]);
    expect((await stat(path)).size).toBeLessThan(250_000);
  });
});
