import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const PATIENCE_MS = 120_000;

const NAMES = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
];
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The Chromium to test with: `TANDEM_CHROMIUM`, else the first of the usual names on PATH or locations on macOS. */
export async function findChromium(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (env.TANDEM_CHROMIUM) return env.TANDEM_CHROMIUM;
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  for (const path of [...candidates, ...PLACES]) if (await isExecutable(path)) return path;
  throw new Error('No Chromium was found. Install one, or name it in TANDEM_CHROMIUM.');
}

/** A headless Chromium that connects only to the page's server. The caller closes it. */
export async function launchChromium(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: await findChromium(),
    args: [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  // Playwright's own limit is 30 s, which a page may need on a busy machine.
  browser.on('context', (context) => context.setDefaultTimeout(PATIENCE_MS));
  return browser;
}
