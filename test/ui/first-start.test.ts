import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { propose } from '../../src/main/models/catalogue';
import { VIEWS } from '../../src/renderer/stores/ui-store';
import type { FirstStart } from '../../src/shared/models';
import { PAIR_SERVERS } from '../bench/memory/pairs';
import { FakeCore } from '../support/fake-bridge';
import {
  fakeDownload,
  fakeFirstStart,
  HEAVY_CHOICE,
  LIGHT_CHOICE,
  smallSnapshot,
} from '../support/fake-snapshot';
import { uiPage } from '../support/ui-page';

/** The first start, and downloads in the strip. */

const GIB = 1024 ** 3;
const ui = uiPage();
let page: Page;
let core: FakeCore;
beforeEach(() => {
  page = ui.page;
});

const screen = () => page.getByTestId('first-start');
const button = (name: string | RegExp) => screen().getByRole('button', { name });
const keyOf = ({ backend, name }: typeof LIGHT_CHOICE) => ({ backend, name });
const downloads = {
  light: fakeDownload({ ...keyOf(LIGHT_CHOICE), completedBytes: 1e9, totalBytes: 2e9 }),
  heavy: fakeDownload({ completedBytes: 5e9, bytesPerSecond: 50e6 }),
};

async function open(change: Partial<FirstStart> = {}): Promise<void> {
  core = new FakeCore(smallSnapshot({ firstStart: fakeFirstStart({ done: false, ...change }) }));
  core.handlers.firstStartDone = async ({ done }) => {
    await core.patch({ firstStart: { ...core.snapshot.firstStart, done } });
    return {};
  };
  await ui.open(core);
  await screen().waitFor();
}

describe('the first start', () => {
  it('says what Tandem is, what this machine has, what was found, and which pair fits', async () => {
    await open({
      found: [
        { place: 'ollama', models: 3 },
        { place: 'lmstudio', models: 1 },
      ],
    });
    const words = await screen().innerText();
    for (const part of [
      'Two model servers run as one',
      'Apple M4 Max · 96 GB of memory · GPU up to 72 GB',
      'Ollama: 3 models · LM Studio: 1 model',
      'about 29 GB of memory',
      'Qwen3 4B',
      'Qwen2.5-Coder 32B',
      'Code · 20 GB · Apache-2.0',
      '390 GB of disk stay free',
    ])
      expect(words).toContain(part);
  });

  it('gets both by one button, shows the progress in place, and leaves when told to', async () => {
    await open();
    await button('Get both · 22 GB').click();
    await expect.poll(() => core.called('downloadStart')).toEqual([keyOf(LIGHT_CHOICE), keyOf(HEAVY_CHOICE)]);
    await core.patch({ downloads: [downloads.light, downloads.heavy] });
    await expect.poll(() => screen().innerText()).toContain('5 GB of 20 GB · 50 MB/s · about 5 min left');
    expect(await screen().getByRole('progressbar').count()).toBe(2);
    await button('Go on; the download continues').click();
    await expect.poll(() => core.called('firstStartDone')).toEqual([{ done: true }]);
    await expect.poll(() => screen().count()).toBe(0);
    await page.reload();
    await page.getByTestId('message-input').waitFor();
    expect(await screen().count()).toBe(0);
  });

  it('tries a failed one again, without the one that is under way', async () => {
    await open();
    const error = { code: 'pull_failed', message: '' };
    await core.patch({ downloads: [downloads.light, { ...downloads.heavy, state: 'failed', error }] });
    await screen().getByRole('alert').waitFor();
    await button('Try the download of Qwen2.5-Coder 32B again').click();
    await expect.poll(() => core.called('downloadStart')).toEqual([keyOf(HEAVY_CHOICE)]);
  });

  it('begins the chat once both are here', async () => {
    await open();
    await core.patch({
      downloads: [
        { ...downloads.light, state: 'done' },
        { ...downloads.heavy, state: 'done' },
      ],
    });
    await button('Start chatting').click();
    await expect.poll(() => core.called('firstStartDone')).toEqual([{ done: true }]);
  });

  it('gets only what is missing', async () => {
    const light = { ...LIGHT_CHOICE, installed: true };
    await open({ pair: { light, heavy: HEAVY_CHOICE, downloadBytes: 20e9, memoryBytes: 29e9 } });
    await button('Get Qwen2.5-Coder 32B · 20 GB').click();
    await expect.poll(() => core.called('downloadStart')).toEqual([keyOf(HEAVY_CHOICE)]);
  });

  it('offers a smaller pair, and the larger one again', async () => {
    await open();
    await button('A smaller pair · 7.5 GB').click();
    await button('Get both · 7.5 GB').waitFor();
    expect(await screen().innerText()).toContain('Qwen3 8B');
    await button('The larger pair · 22 GB').click();
    await button('Get both · 22 GB').waitFor();
  });

  it('uses what is here only where something is', async () => {
    await open();
    expect(await button('Use what is here').count()).toBe(0);
    await core.patch({
      firstStart: { ...core.snapshot.firstStart, found: [{ place: 'huggingface', models: 2 }] },
    });
    await button('Use what is here').click();
    await expect.poll(() => core.called('firstStartDone')).toEqual([{ done: true }]);
  });

  it('leads to the field for a folder, and is still there afterwards', async () => {
    await open();
    await button('Choose a folder').click();
    const field = page.getByLabel('Path of a folder with models');
    await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.getByTestId('nav-chat').click();
    await screen().waitFor();
    await page.getByTestId('nav-settings').click();
    await field.waitFor();
    expect(await field.evaluate((element) => element === document.activeElement)).toBe(false);
  });

  it('says that the disk is too full, and by how much', async () => {
    await open({ machine: { ...fakeFirstStart().machine, diskFreeBytes: 9.3e9 } });
    expect(await screen().innerText()).toContain(
      'this needs 22 GB, and 9.3 GB is free. Free 13 GB more, or take something smaller.',
    );
    expect(await button(/^Get both/).isDisabled()).toBe(true);
    await button('A smaller pair · 7.5 GB').click();
    expect(await button(/^Get both/).isDisabled()).toBe(false);
  });

  it('says so also with what the core proposes on a disk that is too full for every pair', async () => {
    const machine = { totalBytes: 64 * GIB, criticalPercent: 95 };
    const proposed = propose({ machine, ...PAIR_SERVERS, diskFreeBytes: 2e9, models: [] });
    await open({
      ...proposed,
      machine: { ...fakeFirstStart().machine, totalBytes: machine.totalBytes, diskFreeBytes: 2e9 },
    });
    expect(await screen().innerText()).toContain('The disk is too full: this needs 19 GB, and 2 GB is free.');
    expect(await screen().innerText()).not.toContain('No two models');
  });

  it('shows no figures before the memory of the machine is known', async () => {
    const machine = { ...fakeFirstStart().machine, totalBytes: null, gpuBytes: null };
    await open({ machine, pair: null, smallerPair: null, suggestions: [] });
    const words = await screen().innerText();
    for (const untrue of ['No two models', '0 B', 'of memory']) expect(words).not.toContain(untrue);
    expect(await screen().locator('.skeleton').count()).toBe(1);
    await core.patch({ firstStart: fakeFirstStart({ done: false }) });
    await button('Get both · 22 GB').waitFor();
  });

  it('says that no pair fits, and leads to any other model', async () => {
    await open({ pair: null, smallerPair: null, suggestions: [] });
    expect(await screen().innerText()).toContain('No two models that Tandem knows fit into 96 GB');
    await button('Add by name').click();
    const field = page.getByLabel('Name of a model');
    await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true);
  });

  it('leaves the chat usable, and stays until it is answered', async () => {
    await open();
    await page.getByTestId('message-input').fill('hello');
    await page.keyboard.press('Enter');
    await ui.answer().waitFor();
    expect(await screen().count()).toBe(0);
    await page.getByRole('button', { name: 'New chat' }).click();
    await screen().waitFor();
    await button('Later').click();
    await page.getByRole('heading', { name: 'Tandem runs' }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-testid'))).toBe(
      'message-input',
    );
  });

  it('comes back from Settings, and from the empty chat without a real model', async () => {
    await open();
    for (const view of ['settings', 'chat'] as const) {
      await button('Later').click();
      await expect.poll(() => screen().count()).toBe(0);
      await page.getByTestId(`nav-${view}`).click();
      await page.getByRole('button', { name: 'Show the first start again' }).click();
      await screen().waitFor();
    }
  });
});

describe('downloads in the strip', () => {
  const strip = () => page.getByTestId('strip-downloads');

  it('are quiet while there is none', async () => {
    await ui.open();
    for (const view of VIEWS) {
      await page.getByTestId(`nav-${view}`).click();
      expect(await strip().count()).toBe(0);
    }
  });

  it('are the same in every view, with name, percent and time left, and lead to the models', async () => {
    await ui.open();
    await ui.core.patch({ downloads: [downloads.heavy] });
    for (const view of VIEWS) {
      await page.getByTestId(`nav-${view}`).click();
      expect(await strip().innerText()).toContain('Qwen2.5-Coder 32B');
      expect(await strip().innerText()).toContain('25% · about 5 min left');
    }
    await page.getByTestId('nav-chat').click();
    await strip().click();
    await page.getByRole('main', { name: 'Models' }).waitFor();
    await ui.core.patch({ downloads: [downloads.light, downloads.heavy] });
    await expect.poll(() => strip().innerText()).toContain('2 downloads');
    await ui.core.patch({ downloads: [{ ...downloads.heavy, state: 'paused' }] });
    await expect.poll(() => strip().count()).toBe(0);
  });

  it('say that one failed until it is dismissed, and announce both ends', async () => {
    await ui.open();
    const announced = () => page.locator('[aria-live=polite]').textContent();
    await ui.core.patch({ downloads: [downloads.light, downloads.heavy] });
    await strip().waitFor();
    await ui.core.patch({ downloads: [{ ...downloads.light, state: 'done' }, downloads.heavy] });
    await expect.poll(announced).toBe('Qwen3 4B is installed.');
    const error = { code: 'disk_full', message: '' };
    await ui.core.patch({ downloads: [{ ...downloads.heavy, state: 'failed', error }] });
    await expect.poll(() => strip().innerText()).toBe('The download of Qwen2.5-Coder 32B failed');
    await expect.poll(announced).toBe('The download of Qwen2.5-Coder 32B failed');
    await ui.core.patch({ downloads: [] });
    await expect.poll(() => strip().count()).toBe(0);
  });
});
