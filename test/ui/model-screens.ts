import type { Page } from 'playwright-core';
import type { Snapshot } from '../../src/shared/contract';
import type { DeletePlan, FirstStart, Lookup } from '../../src/shared/models';
import { FakeCore } from '../support/fake-bridge';
import {
  fakeDownload,
  fakeFirstStart,
  fakeSnapshot,
  HEAVY_CHOICE,
  LIGHT_CHOICE,
  modelView,
  settingsView,
  smallSnapshot,
} from '../support/fake-snapshot';
import { chat, type Language, type Screen } from './screens';

/** Pictures of the first start, the models, their downloads, and other programs. */

const GIB = 1024 ** 3;

function firstStart(language: Language, change: Partial<FirstStart>, more: Partial<Snapshot> = {}): FakeCore {
  const settings = settingsView({ language });
  return new FakeCore(
    smallSnapshot({ settings, firstStart: fakeFirstStart({ done: false, ...change }), ...more }),
  );
}

/** Models of every kind: used, tight, too large, broken, cloud, loading, embedding. */
export function manyModels(): Snapshot['models'] {
  const hour = 3_600_000;
  return [
    ...fakeSnapshot().models,
    modelView({
      backend: 'mlx',
      name: 'mlx-community/Qwen3-4B-4bit',
      ...{ sizeBytes: 2.3e9, billions: 4, quantisation: '4bit', weight: 'light', load: 'loading' },
      ...{ owner: 'tandem', hasFolder: true, languages: null, capabilities: ['completion', 'thinking'] },
    }),
    modelView({
      backend: 'mlx',
      name: 'lmstudio-community/Mistral-Small-24B-Instruct-2501-MLX-8bit',
      ...{ sizeBytes: 25.1e9, billions: 23.6, quantisation: '8bit', owner: 'lmstudio', hasFolder: true },
      broken: 'weights_missing:model-00003-of-00005.safetensors',
    }),
    modelView({
      name: 'nomic-embed-text:latest',
      ...{ sizeBytes: 274e6, billions: 0.137, quantisation: 'F16', weight: 'light' },
      ...{ capabilities: ['embedding'], contextLength: 2048, pinnedContext: 2048 },
    }),
    modelView({
      name: 'deepseek-r1:671b',
      ...{ sizeBytes: 404e9, billions: 671, weight: 'heavy', fit: 'no', contextLength: 163_840 },
      ...{ capabilities: ['completion', 'thinking'], lastUsedAt: Date.now() - 80 * hour },
    }),
  ];
}

function models(language: Language, change: Partial<Snapshot> = {}): FakeCore {
  return chat(language, [], { models: manyModels(), ...change });
}

const openModel = (name: string) => async (page: Page) => {
  const row = page.getByTestId('model-row').and(page.locator(`[data-model="${name}"]`));
  await row.getByRole('button').first().click();
  await row.evaluate((element) => element.scrollIntoView({ block: 'start' }));
};

const DELETE = { en: 'Delete', ru: 'Удалить' };

const askToDelete = (name: string) => async (page: Page, language: Language) => {
  await openModel(name)(page);
  await page.getByRole('button', { name: DELETE[language], exact: true }).click();
  const panel = page.getByTestId('delete-panel');
  await panel.getByRole('listitem').first().waitFor();
  await panel.evaluate((element) => element.scrollIntoView({ block: 'end' }));
};

function planned(core: FakeCore, plan: DeletePlan): FakeCore {
  core.handlers.modelDeletePlan = () => plan;
  return core;
}

const ADD = {
  en: { field: 'Name of a model', button: 'Look up' },
  ru: { field: 'Имя модели', button: 'Найти' },
};

const lookUp = (name: string) => async (page: Page, language: Language) => {
  await page.getByTestId('tab-get').click();
  await page.getByLabel(ADD[language].field).fill(name);
  await page.getByRole('button', { name: ADD[language].button }).click();
  await page.getByTestId('lookup').waitFor();
};

function lookedUp(language: Language, change: Partial<Lookup>): FakeCore {
  const core = models(language);
  core.handlers.modelLookup = ({ backend, name }) => ({
    backend,
    name,
    sizeBytes: 4.9e9,
    billions: 8.03,
    contextLength: 131_072,
    licence: 'llama3.1',
    fit: 'yes',
    gated: false,
    refused: null,
    installed: false,
    ...change,
  });
  core.handlers.hubTokenState = () => ({ stored: false, fromEnvironment: false });
  return core;
}

const light = fakeDownload({
  backend: 'mlx',
  name: LIGHT_CHOICE.name,
  completedBytes: 1.4e9,
  totalBytes: 2.3e9,
});

export const MODEL_SCREENS: readonly Screen[] = [
  {
    name: 'first-start',
    core: (language) =>
      firstStart(language, {
        found: [
          { place: 'ollama', models: 3 },
          { place: 'huggingface', models: 1 },
          { place: 'lmstudio', models: 2 },
        ],
      }),
  },
  {
    name: 'first-start-getting',
    core: (language) =>
      firstStart(language, {}, { downloads: [light, fakeDownload({ completedBytes: 2.1e9 })] }),
  },
  {
    name: 'first-start-disk',
    core: (language) =>
      firstStart(language, { machine: { ...fakeFirstStart().machine, diskFreeBytes: 9.4e9 } }),
  },
  {
    name: 'first-start-none',
    core: (language) =>
      firstStart(language, {
        machine: { chip: 'Apple M1', totalBytes: 4 * GIB, gpuBytes: 2.6 * GIB, diskFreeBytes: 12e9 },
        pair: null,
        smallerPair: null,
        suggestions: [],
      }),
  },
  { name: 'models', open: 'models', core: (language) => models(language) },
  {
    name: 'models-empty',
    open: 'models',
    core: (language) => chat(language, [], { models: [], capable: false }),
  },
  {
    name: 'model-open',
    open: 'models',
    core: (language) => models(language),
    act: openModel('qwen2.5-coder:32b'),
  },
  {
    name: 'model-use-for',
    open: 'models',
    core: (language) => models(language),
    act: async (page) => {
      await openModel('mlx-community/Qwen3-4B-4bit')(page);
      await page.locator('[aria-haspopup="menu"]').last().click();
      await page.getByRole('menu').waitFor();
    },
  },
  {
    name: 'model-broken',
    open: 'models',
    core: (language) => models(language),
    act: openModel('lmstudio-community/Mistral-Small-24B-Instruct-2501-MLX-8bit'),
  },
  {
    name: 'model-delete',
    open: 'models',
    core: (language) =>
      planned(models(language), {
        owner: 'tandem',
        place: 'Ollama',
        freedBytes: 20e9,
        diskFreeBytes: 412e9,
        stops: [
          { category: 'coding', next: 'llama3.3:70b' },
          { category: 'general', next: null },
        ],
      }),
    act: askToDelete('qwen2.5-coder:32b'),
  },
  {
    name: 'model-delete-foreign',
    open: 'models',
    core: (language) =>
      planned(models(language), {
        owner: 'huggingface',
        place: '~/.cache/huggingface/hub',
        freedBytes: 2.2e9,
        diskFreeBytes: 412e9,
        stops: [{ category: 'fast', next: 'mlx-community/Qwen3-4B-4bit' }],
      }),
    act: askToDelete('mlx-community/Phi-3.5-mini-instruct-4bit'),
  },
  {
    name: 'models-get',
    open: 'models',
    core: (language) => models(language),
    act: async (page) => page.getByTestId('tab-get').click(),
  },
  {
    name: 'models-lookup',
    open: 'models',
    core: (language) => lookedUp(language, {}),
    act: lookUp('mlx-community/Llama-3.1-8B-Instruct-4bit'),
  },
  {
    name: 'models-gated',
    open: 'models',
    core: (language) => lookedUp(language, { gated: true, licence: 'gemma', fit: 'tight' }),
    act: lookUp('mlx-community/gemma-3-27b-it-4bit'),
  },
  {
    name: 'models-gated-ollama',
    open: 'models',
    core: (language) => lookedUp(language, { gated: true, licence: 'gemma' }),
    act: lookUp('hf.co/google/gemma-3-27b-it-qat-q4_0-gguf'),
  },
  {
    name: 'models-refused',
    open: 'models',
    core: (language) =>
      lookedUp(language, { refused: 'unknown_architecture:FalconMambaForCausalLM', licence: null }),
    act: lookUp('someone/falcon-mamba-7b-mlx'),
  },
  {
    name: 'downloads',
    open: 'models',
    core: (language) =>
      models(language, {
        downloads: [
          light,
          fakeDownload(),
          fakeDownload({ name: 'qwen3:8b', state: 'paused', completedBytes: 1.2e9, totalBytes: 5.2e9 }),
          fakeDownload({ name: 'llama3.3:70b', state: 'waiting', completedBytes: 0, totalBytes: null }),
          fakeDownload({
            name: 'hf.co/someone/Very-Long-Name-Of-A-Model-24B-Instruct-GGUF:Q4_K_M',
            state: 'failed',
            completedBytes: 3.1e9,
            error: { code: 'disk_full', message: 'No space left on device.' },
          }),
          fakeDownload({ name: HEAVY_CHOICE.name.replace('32b', '7b'), state: 'done' }),
        ],
      }),
  },
  {
    name: 'downloads-strip-failed',
    open: 'status',
    core: (language) =>
      models(language, {
        downloads: [
          fakeDownload({ state: 'failed', error: { code: 'pull_failed', message: 'It broke off.' } }),
        ],
      }),
  },
  { name: 'connect', open: 'connect', core: (language) => chat(language, []) },
];
