import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Download, Lookup } from '../../src/shared/models';
import { FakeCore } from '../support/fake-bridge';
import { fakeDownload, fakeSnapshot } from '../support/fake-snapshot';
import { uiPage } from '../support/ui-page';

/** Models to get: by name, from the catalogue, and their downloads. */

const ui = uiPage();
let page: Page;
let core: FakeCore;
beforeEach(async () => {
  page = ui.page;
});

async function open(downloads: Download[] = []): Promise<void> {
  core = new FakeCore(fakeSnapshot({ downloads }));
  await ui.open(core, 'models');
  await page.getByTestId('tab-get').click();
}

const field = () => page.getByLabel('Name of a model');
const card = () => page.getByTestId('lookup');
const server = () => page.getByRole('radio', { checked: true }).innerText();
const look = () => page.getByRole('button', { name: 'Look up' }).click();

function lookup(change: Partial<Lookup> = {}): Lookup {
  return {
    backend: 'mlx',
    name: 'mlx-community/gemma-3-4b-it-4bit',
    sizeBytes: 2.6e9,
    billions: 4.3,
    contextLength: 131_072,
    licence: 'gemma',
    fit: 'yes',
    gated: false,
    refused: null,
    installed: false,
    ...change,
  };
}

describe('by name', () => {
  it('guesses the server, and keeps the one that was chosen', async () => {
    await open();
    expect(await server()).toBe('Ollama');
    await field().fill('mlx-community/gemma-3-4b-it-4bit');
    await expect.poll(server).toBe('MLX');
    await field().fill('hf.co/someone/gemma-GGUF:Q4_K_M');
    await expect.poll(server).toBe('Ollama');
    await page.getByRole('radio', { name: 'MLX' }).click();
    await field().fill('someone/gemma');
    expect(await server()).toBe('MLX');
    await field().fill('');
    await expect.poll(server).toBe('Ollama');
  });

  it.each([
    ['ollama run qwen3:8b', { backend: 'ollama', name: 'qwen3:8b' }],
    [
      'https://huggingface.co/mlx-community/gemma-3-4b-it-4bit',
      { backend: 'mlx', name: 'mlx-community/gemma-3-4b-it-4bit' },
    ],
    ['https://huggingface.co/someone/gemma-GGUF/', { backend: 'ollama', name: 'hf.co/someone/gemma-GGUF' }],
  ])('takes what people paste: %s', async (text, asked) => {
    await open();
    core.handlers.modelLookup = (model) => lookup(model);
    await field().fill(text);
    await page.keyboard.press('Enter');
    await card().waitFor();
    expect(core.called('modelLookup')).toEqual([asked]);
  });

  it('shows size, licence, context and fit before the download, and its progress in place', async () => {
    await open();
    core.handlers.modelLookup = () => lookup();
    await field().fill('mlx-community/gemma-3-4b-it-4bit');
    await look();
    await expect
      .poll(() => card().innerText())
      .toContain('2.6 GB to download · 4.3B · 128K tokens · licence gemma');
    expect(await card().innerText()).toContain('Fits this machine, also next to others.');
    await card().getByRole('button', { name: 'Download' }).click();
    const { backend, name } = lookup();
    await expect.poll(() => core.called('downloadStart')).toEqual([{ backend, name }]);
    await core.patch({ downloads: [fakeDownload({ backend, name })] });
    await expect.poll(() => card().getByRole('progressbar').getAttribute('aria-valuenow')).toBe('38');
    await core.patch({ downloads: [fakeDownload({ backend, name, state: 'done' })] });
    await expect.poll(() => card().innerText()).toContain('Installed');
  });

  it.each([
    ['not_mlx', 'it is not in a form that mlx-lm loads'],
    ['no_safetensors', 'it has no safetensors weights'],
    ['unknown_architecture:MambaForCausalLM', 'mlx-lm does not know the architecture MambaForCausalLM'],
    ['something_new', 'something_new'],
  ])('refuses with the reason: %s', async (refused, words) => {
    await open();
    core.handlers.modelLookup = () => lookup({ refused });
    await field().fill('a/mlx');
    await look();
    await expect.poll(() => card().innerText()).toContain(words);
    expect(
      await card()
        .getByRole('button', { name: /Download/ })
        .count(),
    ).toBe(0);
  });

  it('warns of a model that is too large, and says what is unknown', async () => {
    await open();
    core.handlers.modelLookup = () => lookup({ fit: 'no', sizeBytes: null, licence: null });
    await field().fill('a/mlx');
    await look();
    await expect.poll(() => card().innerText()).toContain('Too large for this machine');
    expect(await card().innerText()).toContain('size unknown · 4.3B · 128K tokens · licence not stated');
    await card().getByRole('button', { name: 'Download anyway' }).waitFor();
  });

  it('asks for access of Ollama itself, not for a token, where Ollama downloads', async () => {
    await open();
    core.handlers.modelLookup = () => lookup({ backend: 'ollama', name: 'hf.co/a/b', gated: true });
    await field().fill('hf.co/a/b');
    await look();
    await card().getByText('Ollama downloads it itself, with that key.').waitFor();
    expect(await card().getByLabel('Access token').count()).toBe(0);
  });

  it('asks for a token where one is needed, keeps it as the host can, and looks again', async () => {
    await open();
    let stored = false;
    core.handlers.hubTokenState = () => ({ stored, fromEnvironment: false });
    core.handlers.hubTokenSet = ({ token }) => {
      stored = token !== null;
      return {};
    };
    core.handlers.modelLookup = () => lookup({ gated: !stored });
    await field().fill('a/mlx');
    await look();
    await card().getByText('Kept in a file that only you can read').waitFor();
    const token = card().getByLabel('Access token');
    expect(await token.getAttribute('type')).toBe('password');
    await token.fill('short');
    await page.keyboard.press('Enter');
    await card().getByRole('alert').waitFor();
    await token.fill('hf_abcdefgh');
    await page.keyboard.press('Enter');
    await expect.poll(() => core.called('hubTokenSet')).toEqual([{ token: 'hf_abcdefgh' }]);
    await expect.poll(() => card().getByLabel('Access token').count()).toBe(0);
    expect(core.called('modelLookup').length).toBe(2);
    await page.getByRole('button', { name: 'Remove the access token' }).click();
    await expect.poll(() => core.called('hubTokenSet').at(-1)).toEqual({ token: null });
    await expect.poll(() => page.getByRole('button', { name: 'Remove the access token' }).count()).toBe(0);
  });

  it('says that a name stands for nothing, and ignores the reply to an older question', async () => {
    await open();
    core.handlers.modelLookup = () => {
      throw Object.assign(new Error('no'), { code: 'model_not_found' });
    };
    await field().fill('qwen:999b');
    await look();
    await page.getByRole('alert').getByText('There is no such model. Check the name.').waitFor();
    let reply = (_: Lookup): void => undefined;
    core.handlers.modelLookup = () => new Promise((resolve) => (reply = resolve));
    await look();
    await expect.poll(() => core.called('modelLookup').length).toBe(2);
    await field().fill('qwen3:8b');
    reply(lookup({ name: 'qwen:999b' }));
    await page.getByRole('button', { name: 'Look up' }).waitFor();
    expect(await card().count()).toBe(0);
  });
});

describe('the catalogue', () => {
  it('is in groups by purpose, and gets a model by its button', async () => {
    await open();
    const code = page.getByRole('region', { name: 'Code' });
    expect(await code.innerText()).toContain('20 GB · 32.8B · 128K tokens · Apache-2.0');
    expect(await code.innerText()).not.toContain('not verified');
    expect(await page.getByRole('region', { name: 'Hard reasoning' }).innerText()).toContain('not verified');
    await code.getByRole('button', { name: 'Get Qwen2.5-Coder 32B' }).click();
    await expect
      .poll(() => core.called('downloadStart'))
      .toEqual([{ backend: 'ollama', name: 'qwen2.5-coder:32b' }]);
    await core.patch({ downloads: [fakeDownload()] });
    await code.getByRole('progressbar').waitFor();
  });

  it('says that nothing fits', async () => {
    await open();
    await core.patch({ firstStart: { ...core.snapshot.firstStart, suggestions: [] } });
    await page.getByText('No model that Tandem knows fits this machine.').waitFor();
  });
});

describe('downloads', () => {
  const model = { backend: 'ollama', name: 'qwen2.5-coder:32b' };
  const download = () => page.getByTestId('download');
  const press = (name: RegExp) => download().getByRole('button', { name }).click();

  it('pause, resume, are cancelled, tried again and dismissed', async () => {
    core = new FakeCore(fakeSnapshot({ downloads: [fakeDownload()] }));
    await ui.open(core, 'models');
    expect(await download().innerText()).toContain('7.6 GB of 20 GB · 52 MB/s · about 4 min left');
    await press(/^Pause/);
    await expect.poll(() => core.called('downloadPause')).toEqual([model]);
    await core.patch({ downloads: [fakeDownload({ state: 'paused' })] });
    await expect.poll(() => download().innerText()).toContain('Paused · 7.6 GB of 20 GB');
    await press(/^Resume/);
    await expect.poll(() => core.called('downloadStart')).toEqual([model]);
    await press(/^Cancel .* and delete what has arrived$/);
    await expect.poll(() => core.called('downloadCancel')).toEqual([model]);
    const error = { code: 'disk_full', message: '' };
    await core.patch({ downloads: [fakeDownload({ state: 'failed', error })] });
    await download().getByRole('alert').getByText('The disk is full.').waitFor();
    const unknown = { code: 'model_not_found', message: '' };
    await core.patch({ downloads: [fakeDownload({ state: 'failed', error: unknown })] });
    await download().getByRole('alert').getByText('There is no such model. Check the name.').waitFor();
    await press(/^Try the download/);
    await expect.poll(() => core.called('downloadStart').length).toBe(2);
    await press(/^Dismiss/);
    await expect.poll(() => core.called('downloadDismiss')).toEqual([model]);
  });

  it.each([
    [{ state: 'waiting', totalBytes: null } as const, 'Waiting'],
    [{ totalBytes: null } as const, 'Starting'],
    [{ completedBytes: 20e9 }, 'Checking what arrived'],
    [{ state: 'done' } as const, 'Installed'],
  ])('say where they are: %o', async (change, words) => {
    core = new FakeCore(fakeSnapshot({ downloads: [fakeDownload(change)] }));
    await ui.open(core, 'models');
    expect(await download().innerText()).toContain(words);
  });

  it('lead to the field for a token where one is missing', async () => {
    const error = { code: 'model_gated', message: 'It needs a token.' };
    core = new FakeCore(fakeSnapshot({ downloads: [fakeDownload({ state: 'failed', error })] }));
    core.handlers.hubTokenState = () => ({ stored: false, fromEnvironment: false });
    await ui.open(core, 'models');
    await page.getByRole('button', { name: 'Enter a token' }).click();
    const token = page.getByLabel('Access token');
    await expect.poll(() => token.evaluate((element) => element === document.activeElement)).toBe(true);
  });
});
