import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DeletePlan, ModelView } from '../../src/shared/models';
import { FakeCore } from '../support/fake-bridge';
import { backendStatus, fakeSnapshot, modelView, settingsView } from '../support/fake-snapshot';
import { uiPage } from '../support/ui-page';
import { manyModels } from './model-screens';

/** The installed models: what is shown of them, and what can be done with them. */

const ui = uiPage();
let page: Page;
let core: FakeCore;
beforeEach(() => {
  page = ui.page;
});

const PHI = 'mlx-community/Phi-3.5-mini-instruct-4bit';
const CODER = 'qwen2.5-coder:32b';
const LLAMA = 'llama3.3:70b';

async function open(next: FakeCore = new FakeCore(fakeSnapshot({ models: manyModels() }))): Promise<void> {
  core = next;
  await ui.open(core, 'models');
}

const rows = () => page.getByTestId('model-row');
const row = (name: string) => rows().and(page.locator(`[data-model="${name}"]`));
const toggle = (name: string) => row(name).getByRole('button').first();
const names = () => rows().evaluateAll((list) => list.map((one) => one.getAttribute('data-model')));

async function unfold(name: string): Promise<void> {
  await toggle(name).click();
  await expect.poll(() => toggle(name).getAttribute('aria-expanded')).toBe('true');
}

/** Replaces facts of one installed model. */
async function change(name: string, facts: Partial<ModelView>): Promise<void> {
  await core.patch({
    models: core.snapshot.models.map((model) => (model.name === name ? { ...model, ...facts } : model)),
  });
}

const focused = () =>
  page.evaluate(() => document.activeElement?.textContent || document.activeElement?.tagName);

describe('the list', () => {
  it('shows each model of both servers with size, parameters, weight, fit, state and use', async () => {
    await open();
    expect(await page.getByRole('region', { name: 'Models of MLX' }).innerText()).toContain(
      '3 models · 30 GB',
    );
    expect(await row(PHI).innerText()).toMatch(/Phi-3.5-mini\s+2.2 GB/);
    expect(await row(PHI).innerText()).toContain('loaded · 3.8B · 4bit · light · fits');
    expect(await row(PHI).innerText()).toContain('For: small talk, short questions');
    expect(await row(LLAMA).innerText()).toContain('70.6B · Q4_K_M · heavy · tight');
    expect(await row('deepseek-r1:671b').innerText()).toContain('too large');
    expect(await row('mlx-community/Qwen3-4B-4bit').innerText()).toContain('loading');
    await expect
      .poll(() => rows().filter({ hasText: 'Cannot be used' }).innerText())
      .toContain('its weights are missing (model-00003-of-00005.safetensors)');
  });

  it('searches names and facts, with Cmd-F from anywhere in the view', async () => {
    await open();
    await toggle(LLAMA).focus();
    await page.keyboard.press('Control+f');
    await page.keyboard.type('heavy REASON');
    await expect.poll(names).toEqual([LLAMA]);
    await page.keyboard.press('Escape');
    await expect.poll(() => rows().count()).toBe(7);
    await page.keyboard.type('mlx vision');
    await page.getByText('No installed model matches “mlx vision”.').waitFor();
    await page.getByRole('button', { name: 'Clear search' }).click();
    await expect.poll(() => rows().count()).toBe(7);
  });

  it('says that there is none, and leads to those that one can get', async () => {
    await open(new FakeCore(fakeSnapshot({ models: [] })));
    await page.getByRole('heading', { name: 'No models yet' }).waitFor();
    await page.getByRole('button', { name: 'Look again' }).click();
    await expect.poll(() => core.called('modelsRescan').length).toBe(1);
    await page.getByRole('button', { name: 'Get models' }).click();
    await page.getByLabel('Name of a model').waitFor();
  });

  it('frees memory by one button, and says what came of it', async () => {
    await open();
    core.handlers.memoryFree = () => ({ models: 2, bytes: 21 * 1024 ** 3 });
    await page.getByText('2 models are in memory').waitFor();
    await page.getByRole('button', { name: 'Free memory now' }).click();
    await page.getByText('Unloaded 2 models, 21 GB freed').waitFor();
    core.handlers.memoryFree = () => ({ models: 0, bytes: null });
    await page.getByRole('button', { name: 'Free memory now' }).click();
    await page
      .getByText('Nothing to free: every loaded model is at work, or another program loaded it.')
      .waitFor();
    for (const name of [PHI, CODER]) await change(name, { load: 'none' });
    await expect.poll(() => page.getByRole('button', { name: 'Free memory now' }).count()).toBe(0);
  });

  it('shows models of a server that is switched off', async () => {
    await open(new FakeCore(fakeSnapshot({ models: [modelView({ name: 'a:1b', backend: 'studio' })] })));
    expect(await names()).toEqual(['a:1b']);
  });
});

describe('an opened model', () => {
  it('shows what is measured and known, one model at a time, by keyboard too', async () => {
    await open();
    await toggle(PHI).focus();
    await page.keyboard.press('Enter');
    const words = await row(PHI).innerText();
    for (const part of [PHI, 'not stated', 'chat', 'loads in 11 s · 84 tok/s', 'the Hugging Face cache'])
      expect(words).toContain(part);
    await unfold(LLAMA);
    expect(await toggle(PHI).getAttribute('aria-expanded')).toBe('false');
    expect(await row(LLAMA).innerText()).toContain('never');
  });

  it('names its languages', async () => {
    await open();
    await change(LLAMA, { languages: ['en', 'de', 'fr', 'es', 'it', 'pt', 'hi', 'x!'] });
    await unfold(LLAMA);
    expect(await row(LLAMA).innerText()).toContain(
      'English, German, French, Spanish, Italian, Portuguese and 2 more',
    );
  });

  it('loads and unloads', async () => {
    await open();
    await unfold(LLAMA);
    await row(LLAMA).getByRole('button', { name: 'Load now' }).click();
    await expect.poll(() => core.called('modelLoad')).toEqual([{ backend: 'ollama', name: LLAMA }]);
    await change(LLAMA, { load: 'loading' });
    const loading = row(LLAMA).getByRole('button', { name: 'Loading', exact: true });
    await expect.poll(() => loading.isDisabled()).toBe(true);
    await change(LLAMA, { load: 'loaded' });
    core.handlers.modelUnload = () => {
      throw Object.assign(new Error('A request uses it.'), { code: 'busy' });
    };
    await row(LLAMA).getByRole('button', { name: 'Unload' }).click();
    await page.getByText('The model is in use.').waitFor();
  });

  const useFor = async (name: string) => {
    await row(name)
      .getByRole('button', { name: `Use ${name} for` })
      .click();
    return (words: string | RegExp) => page.getByRole('menuitemcheckbox', { name: words });
  };

  it('is used for a kind of work, or left to the choice of Tandem again, as the settings say', async () => {
    // Tandem chose the coder for code itself, and another model is the chosen one for reasoning.
    const settings = settingsView({ ollamaModelFast: CODER, ollamaModelReasoning: LLAMA });
    await open(new FakeCore(fakeSnapshot({ settings, models: manyModels() })));
    await unfold(CODER);
    const ticked = async (words: string) => (await useFor(CODER))(words).getAttribute('aria-checked');
    expect(await ticked('code')).toBe('false');
    await page.keyboard.press('Escape');
    expect(await ticked('reasoning')).toBe('false');
    await page.keyboard.press('Escape');
    expect(await ticked('small talk, short questions')).toBe('true');
    await page.getByRole('menuitemcheckbox', { name: 'small talk, short questions' }).click();
    await (await useFor(CODER))('code').click();
    await expect
      .poll(() => core.called('modelUse'))
      .toEqual([
        { backend: 'ollama', category: 'greeting', name: null },
        { backend: 'ollama', category: 'coding', name: CODER },
      ]);
  });

  it('says why it cannot be chosen for work that has no setting', async () => {
    await open();
    await unfold('mlx-community/Qwen3-4B-4bit');
    const other = (await useFor('mlx-community/Qwen3-4B-4bit'))(/^your data, code, reasoning/);
    expect(await other.innerText()).toContain('MLX does light work only, as the settings say.');
    expect(await other.getAttribute('aria-disabled')).toBe('true');
  });

  it('offers only what a model can do', async () => {
    await open();
    await unfold('nomic-embed-text:latest');
    for (const name of [/^Use /, 'Load now'])
      expect(await page.getByRole('button', { name }).count()).toBe(0);
    await unfold('lmstudio-community/Mistral-Small-24B-Instruct-2501-MLX-8bit');
    for (const name of [/^Use /, 'Load now', 'Show in Finder'])
      expect(await page.getByRole('button', { name }).count()).toBe(0);
    expect(await page.getByRole('combobox').count()).toBe(0);
    await page.getByRole('button', { name: 'Delete' }).waitFor();
  });

  it('is shown in the file manager by the app, never by the browser', async () => {
    await open();
    await unfold(PHI);
    expect(await page.getByRole('button', { name: 'Show in Finder' }).count()).toBe(0);
    await core.patch({ app: { ...core.snapshot.app, host: 'electron', platform: 'darwin' } });
    await page.getByRole('button', { name: 'Show in Finder' }).click();
    await expect.poll(() => core.called('modelReveal')).toEqual([{ backend: 'mlx', name: PHI }]);
    await unfold(LLAMA);
    expect(await page.getByRole('button', { name: 'Show in Finder' }).count()).toBe(0);
  });

  it('leads to the settings to remove the built-in one', async () => {
    await open(
      new FakeCore(fakeSnapshot({ models: [modelView({ name: 'tandem', small: true, owner: 'tandem' })] })),
    );
    await unfold('tandem');
    expect(await page.getByRole('button', { name: 'Delete' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Remove it in Settings' }).click();
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')))
      .toBe('Built-in small model');
  });
});

describe('the context', () => {
  const field = (name: string) => page.getByRole('combobox', { name: `Context of ${name}` });

  it('shows each length with its cost, up to the limit of the model', async () => {
    await open();
    await unfold(CODER);
    expect(await field(CODER).locator('option').allInnerTexts()).toEqual([
      'Automatic: 16K · 4 GB',
      '4K · 1 GB',
      '8K · 2 GB',
      '16K · 4 GB',
      '32K · 8 GB',
    ]);
    await field(CODER).selectOption('32768');
    await expect
      .poll(() => core.called('modelContext'))
      .toEqual([{ backend: 'ollama', name: CODER, tokens: 32_768 }]);
    await change(CODER, { pinnedContext: 32_768, contextChosen: true });
    await expect.poll(() => field(CODER).inputValue()).toBe('32768');
    await field(CODER).selectOption('Automatic');
    await expect.poll(() => core.called('modelContext').at(-1)?.tokens).toBe(null);
  });

  it('says why a length does not fit, and keeps the one that holds', async () => {
    await open();
    await unfold(CODER);
    core.handlers.modelContext = () => {
      throw Object.assign(new Error('32K needs 8 GB, and 6 GB is free.'), { code: 'context_too_large' });
    };
    await field(CODER).selectOption('32768');
    await row(CODER).getByRole('alert').getByText('32K needs 8 GB, and 6 GB is free.').waitFor();
    expect(await field(CODER).inputValue()).toBe('');
  });

  it('costs at most a bound where the cache is unknown, and nothing is said where the model is', async () => {
    await open();
    await change(CODER, { bytesPerToken: null });
    await unfold(CODER);
    const second = async () => (await field(CODER).locator('option').allInnerTexts())[1];
    expect(await second()).toMatch(/^4K · up to 3\.?\d* GB$/);
    await change(CODER, { sizeBytes: null });
    await expect.poll(second).toBe('4K');
  });

  it('has no cost where it is unknown, and says what an adopted server does', async () => {
    await open();
    await change(CODER, { bytesPerToken: null, sizeBytes: null, contextLength: null, pinnedContext: null });
    await unfold(CODER);
    const options = await field(CODER).locator('option').allInnerTexts();
    expect(options.slice(0, 2)).toEqual(['Automatic', '4K']);
    expect(options.at(-1)).toBe('128K');
    expect(await row(CODER).innerText()).toContain('Tandem did not start this server');
    await core.patch({ backends: [backendStatus('mlx'), backendStatus('ollama', { ownership: 'managed' })] });
    await expect.poll(() => row(CODER).innerText()).toContain('A change reloads it.');
  });
});

describe('deleting', () => {
  const panel = () => page.getByTestId('delete-panel');
  const plan: DeletePlan = {
    owner: 'tandem',
    place: 'Ollama',
    freedBytes: 20e9,
    diskFreeBytes: 412e9,
    stops: [
      { category: 'coding', next: LLAMA },
      { category: 'general', next: null },
    ],
  };

  /** On an Ollama that Tandem runs. */
  async function ask(change: Partial<DeletePlan> = {}): Promise<void> {
    const backends = [backendStatus('mlx'), backendStatus('ollama', { ownership: 'managed' })];
    await open(new FakeCore(fakeSnapshot({ backends, models: manyModels() })));
    core.handlers.modelDeletePlan = () => ({ ...plan, ...change });
    await unfold(CODER);
    await row(CODER).getByRole('button', { name: 'Delete' }).click();
    await panel().getByRole('listitem').first().waitFor();
  }

  it('says what stops working and what it frees, and deletes freely what is ours', async () => {
    await ask();
    expect(await focused()).toBe(`Delete ${CODER}?`);
    const words = await panel().innerText();
    for (const part of [
      'llama3.3:70b takes over: code.',
      'Nothing is left to answer this: general questions.',
      'Frees 20 GB of the disk; 432 GB are free then.',
      'It is removed from Ollama.',
    ])
      expect(words).toContain(part);
    await panel().getByRole('button', { name: 'Delete now' }).click();
    await expect
      .poll(() => core.called('modelDelete'))
      .toEqual([{ backend: 'ollama', name: CODER, owner: 'tandem' }]);
    await page.getByText(`${CODER} deleted`).waitFor();
    await core.patch({ models: core.snapshot.models.filter(({ name }) => name !== CODER) });
    await expect.poll(() => row(CODER).count()).toBe(0);
    expect(await focused()).not.toBe('BODY');
  });

  it('names the owner of files that Tandem did not download, even on its own server, and waits for consent', async () => {
    await ask({ owner: 'ollama' });
    expect(await panel().innerText()).toContain(
      'It belongs to Ollama (Ollama), not to Tandem. Other programs lose it too.',
    );
    const remove = panel().getByRole('button', { name: 'Delete from Ollama' });
    expect(await remove.isDisabled()).toBe(true);
    await panel().getByRole('switch', { name: 'Delete it from Ollama all the same' }).click();
    await remove.click();
    await expect.poll(() => core.called('modelDelete').length).toBe(1);
  });

  it('can be left, with the focus kept, and deletes nothing', async () => {
    await ask();
    await panel().getByRole('button', { name: 'Cancel' }).click();
    await expect.poll(() => panel().count()).toBe(0);
    await expect.poll(focused).not.toBe('BODY');
    expect(core.called('modelDelete')).toEqual([]);
  });

  it('says why the plan or the deletion failed', async () => {
    await ask();
    core.handlers.modelDelete = () => {
      throw Object.assign(new Error('A request uses it.'), { code: 'busy' });
    };
    await panel().getByRole('button', { name: 'Delete now' }).click();
    await panel().getByRole('alert').getByText('The model is in use.').waitFor();
    core.handlers.modelDeletePlan = () => {
      throw Object.assign(new Error('gone'), { code: 'ollama_down' });
    };
    await panel().getByRole('button', { name: 'Cancel' }).click();
    await row(CODER).getByRole('button', { name: 'Delete' }).click();
    await panel().getByRole('alert').getByText('Ollama is not running.').waitFor();
    core.handlers.modelDeletePlan = () => plan;
    await panel().getByRole('button', { name: 'Try again' }).click();
    await panel().getByRole('listitem').first().waitFor();
  });
});

it('speaks Russian', async () => {
  await open(
    new FakeCore(fakeSnapshot({ models: manyModels(), settings: settingsView({ language: 'ru' }) })),
  );
  await unfold(LLAMA);
  const words = await page.locator('main').innerText();
  expect(words).toContain('70,6B · Q4_K_M · тяжёлая · впритык');
  expect(
    words.replace(/\b(Phi|Qwen|Mistral|Small|MLX|Ollama|LM Studio|Hugging Face|Tandem)\b/g, ''),
  ).not.toMatch(/\b(load|loaded|fits|heavy|light|For|Delete|Use|not|never)\b/);
});
