import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Answer } from '../../src/shared/chat';
import type { Snapshot } from '../../src/shared/contract';
import { FakeCore } from '../support/fake-bridge';
import {
  answerMeta,
  backendStatus,
  emptyQueue,
  fakeAnswer,
  fakeDownload,
  fakeFirstStart,
  fakeLedger,
  fakeSnapshot,
  ledgerEntry,
  lifeEvent,
  settingsView,
  suggestion,
} from '../support/fake-snapshot';
import { problemsOf, uiPage } from '../support/ui-page';

/** Markup wherever a server, a file, a client or a user could put it. Everywhere it is text, and none of it runs. */

/** Without a slash, because only the last part of a name is shown. */
const EVIL = `"'><img src=x onerror=window.pwned=1><svg onload=window.pwned=1>{{id}}$t(app.title)`;
const SCRIPT = '<script>window.pwned=1</script><iframe src=//evil.test></iframe>';

const ui = uiPage();
let page: Page;
/** Errors on the page's console, including violations of its policy, and its requests to other hosts. */
let problems: string[];

beforeEach(() => {
  page = ui.page;
  problems = problemsOf(page);
  page.on('dialog', (dialog) => void dialog.dismiss().then(() => problems.push(dialog.message())));
  page.on('request', (request) => {
    if (!request.url().startsWith(ui.url)) problems.push(request.url());
  });
});
afterEach(async () => {
  expect(await page.evaluate(() => 'pwned' in window)).toBe(false);
  const made = page.locator(
    'script:not([src]), iframe, object, embed, base, form[action], img[src="x"], [onload], [onerror], [onclick], [src*="evil"], a[href^="javascript" i], a[href^="data" i], a[href^="vbscript" i]',
  );
  expect(await made.count()).toBe(0);
  expect(problems).toEqual([]);
});

/** How often the words are visible, each time in full. */
const seen = async (words = EVIL) => (await page.locator('body').innerText()).split(words).length - 1;

/** Opens everything that is folded. */
const unfold = () =>
  page.locator('details').evaluateAll((folds) => {
    for (const fold of folds) (fold as HTMLDetailsElement).open = true;
  });

/** A machine all of whose names and words are markup. */
function evilSnapshot(): Snapshot {
  const plain = fakeSnapshot();
  const error = { code: 'made_up', message: EVIL };
  const trouble = { lastError: { ...error, at: Date.now() }, version: EVIL, model: EVIL };
  const absence = { code: 'made_up', cure: EVIL, details: { address: EVIL } };
  const evil = suggestion({ name: `${EVIL} 3`, title: EVIL, licence: EVIL, languages: [EVIL] });
  const part = { percent: 5, elapsedMs: 1, detail: EVIL, cure: EVIL, command: EVIL, path: EVIL };
  return {
    ...plain,
    app: { ...plain.app, version: EVIL, dataDir: EVIL, gatewayUrl: EVIL, mlxApiUrl: EVIL, platform: EVIL },
    backends: [
      backendStatus('mlx', { ...trouble, state: 'open' }),
      backendStatus('ollama', { state: 'absent', absence, readySince: null }),
    ],
    ledger: fakeLedger({
      entries: [ledgerEntry({ kind: 'weights', bytes: 1e9, name: EVIL, source: EVIL })],
      lastDecision: {
        at: Date.now(),
        kind: 'refuse',
        backend: 'mlx',
        model: EVIL,
        rule: EVIL,
        neededBytes: 1,
        freeBytes: 1,
      },
    }),
    queue: {
      ...emptyQueue(),
      entries: [
        {
          id: EVIL,
          client: EVIL,
          priority: 'high',
          category: null,
          backend: 'mlx',
          model: EVIL,
          state: 'running',
          position: null,
          etaMs: 1,
          waitedMs: 1,
        },
      ],
    },
    life: [
      lifeEvent('started', 3, { facts: { pid: EVIL, model: EVIL } }),
      lifeEvent('died', 2, { cause: 'unknown', incident: EVIL, facts: { seconds: EVIL, signal: EVIL } }),
      lifeEvent('rung', 1, { facts: { rung: EVIL, kind: EVIL } }),
    ],
    times: [{ backend: 'mlx', name: EVIL, loadS: 1, per1kS: 1, source: 'measured', samples: 1 }],
    models: plain.models.map((model) => ({
      ...model,
      ...{ name: EVIL, quantisation: EVIL, capabilities: [EVIL, 'completion'], languages: [EVIL] },
      broken: model.backend === 'mlx' ? `${EVIL}:${EVIL}` : null,
    })),
    firstStart: fakeFirstStart({
      machine: { ...fakeFirstStart().machine, chip: EVIL },
      pair: { light: evil, heavy: null, downloadBytes: 1, memoryBytes: 1 },
      suggestions: [evil],
    }),
    downloads: [
      fakeDownload({ name: EVIL, step: EVIL }),
      fakeDownload({ name: `${EVIL} 2`, state: 'failed', error }),
    ],
    setup: [{ part: 'mlx', stage: 'failed', code: 'made_up', ...part }],
    settings: settingsView({
      modelFolders: [EVIL],
      mlxModelFast: EVIL,
      ollamaModelCoding: EVIL,
      globalShortcut: EVIL,
      mlxUrl: EVIL,
      ollamaUrl: EVIL,
    }),
    warnings: [
      error,
      {
        code: 'model_incomplete',
        message: EVIL,
        details: { name: EVIL, reason: 'weights_missing', file: EVIL },
      },
      { code: 'model_folder_hung', message: EVIL, details: { path: EVIL } },
    ],
  };
}

function evilCore(answer: Partial<Answer> = {}): FakeCore {
  const core = new FakeCore(evilSnapshot());
  core.addChat({ id: 'chat-1', title: EVIL, preview: EVIL }, [
    { role: 'user', id: 'u1', chatId: 'chat-1', text: `${EVIL}${SCRIPT}`, at: 1 },
    fakeAnswer({
      id: 'a1',
      replyTo: 'u1',
      text: `${EVIL}\n\n${SCRIPT}`,
      status: 'failed',
      meta: answerMeta({
        source: 'ollama',
        model: EVIL,
        reasons: [EVIL, `fallback:${EVIL}`, `rule:${EVIL}`, `unavailable:${EVIL}`],
        breaks: [{ at: 3, from: 'mlx', to: 'ollama', reason: EVIL }],
        error: { code: 'made_up', message: EVIL, details: { model: EVIL } },
      }),
      ...answer,
    }),
  ]);
  return core;
}

describe('markup is text', () => {
  it('in models, servers, memory, queue, downloads and warnings on Status', async () => {
    await ui.open(evilCore(), 'status');
    await unfold();
    await expect.poll(() => seen()).toBeGreaterThanOrEqual(10);
    for (const place of ['status-mlx', 'status-ollama', 'life-mlx'])
      expect(await page.getByTestId(place).count()).toBe(1);
  });

  it('in values, names of models and runtimes in the settings', async () => {
    const core = evilCore();
    core.handlers.runtimesList = () => ({
      runtimes: [{ name: 'mlx', version: EVIL, sizeBytes: 1, inUse: false }],
    });
    await ui.open(core, 'settings');
    await unfold();
    await expect.poll(() => seen()).toBeGreaterThanOrEqual(3);
    const options = await page.locator('option').allInnerTexts();
    expect(options.filter((words) => words.includes(EVIL)).length).toBeGreaterThan(0);
  });

  it('in models, their details, what deleting one means, and downloads', async () => {
    const core = evilCore();
    core.handlers.modelDeletePlan = () => ({
      owner: 'folder',
      place: EVIL,
      freedBytes: 1,
      diskFreeBytes: 1,
      stops: [{ category: 'coding', next: EVIL }],
    });
    await ui.open(core, 'models');
    const rows = page.getByTestId('model-row');
    expect(await rows.count()).toBe(3);
    await rows.first().getByRole('button').first().click();
    await expect.poll(() => seen()).toBeGreaterThanOrEqual(8);
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    const panel = page.getByTestId('delete-panel');
    await panel.getByRole('switch').waitFor();
    expect((await panel.innerText()).split(EVIL).length - 1).toBe(3);
  });

  it('in the catalogue, and in what a name stands for', async () => {
    const core = evilCore();
    core.handlers.modelLookup = ({ backend }) => ({
      backend,
      name: `${EVIL} 4`,
      sizeBytes: 1,
      billions: null,
      contextLength: null,
      licence: EVIL,
      fit: 'yes',
      gated: true,
      refused: `unknown_architecture:${EVIL}`,
      installed: false,
    });
    await ui.open(core, 'models');
    await page.getByTestId('tab-get').click();
    await page.getByLabel('Name of a model').fill(EVIL);
    await page.getByRole('button', { name: 'Look up' }).click();
    const card = page.getByTestId('lookup');
    await expect.poll(async () => (await card.innerText()).split(EVIL).length - 1).toBe(3);
  });

  it('on the first start', async () => {
    const core = evilCore();
    core.snapshot = {
      ...core.snapshot,
      chats: [],
      firstStart: { ...core.snapshot.firstStart, done: false },
    };
    await ui.open(core, 'chat');
    const start = page.getByTestId('first-start');
    // The chip, and the title, licence and button of the model.
    await expect.poll(async () => (await start.innerText()).split(EVIL).length - 1).toBe(4);
  });

  it('in the message of a rejected setting, and of a failed call', async () => {
    const core = evilCore();
    const refuse = () => {
      throw Object.assign(new Error(EVIL), { code: 'made_up' });
    };
    core.handlers.settingsSet = refuse;
    core.handlers.backendRestart = refuse;
    await ui.open(core, 'settings');
    await page.getByTestId('mlx-only-light').click();
    await expect.poll(() => page.getByText(EVIL).count()).toBeGreaterThan(0);
    await page.getByTestId('nav-status').click();
    await page.getByTestId('restart-mlx').click();
    await page.getByRole('status').filter({ hasText: EVIL }).waitFor();
  });

  it('in a message, its answer, its label, its reasons and its failure', async () => {
    await ui.openChat('chat-1', evilCore());
    await ui.answer().waitFor();
    await page.getByTestId('answer-reasons').first().click();
    await expect.poll(() => ui.answer().innerText()).toContain(EVIL);
    expect(await ui.answer().innerText()).toContain(SCRIPT);
    expect(await ui.answer().getAttribute('data-model')).toBe(EVIL);
    expect(await page.locator('[data-message=u1]').innerText()).toContain(`${EVIL}${SCRIPT}`);
  });

  it('in the thinking of a model', async () => {
    const text = `<think>\n${EVIL} [a](javascript:window.pwned=1)\n\n${SCRIPT}\n</think>\n\nDone.`;
    await ui.openChat('chat-1', evilCore({ text, status: 'done', meta: answerMeta({ source: 'mlx' }) }));
    const thinking = page.getByTestId('thinking');
    await thinking.getByRole('button').click();
    expect(await thinking.innerText()).toContain(EVIL);
    expect(await thinking.innerText()).toContain(SCRIPT);
  });

  it('in titles of chats, in the search field, and in search results', async () => {
    const core = evilCore();
    core.addChat({ id: 'other', title: 'Other' });
    await ui.open(core, 'chat');
    await page.keyboard.press('Control+f');
    const search = page.getByRole('searchbox');
    core.handlers.chatSearch = () => ({ chats: core.snapshot.chats.slice(0, 1) });
    await search.fill(EVIL);
    const hits = page.locator('button[data-chat]');
    await expect.poll(() => hits.count()).toBe(1);
    expect(await hits.innerText()).toContain(EVIL);
    await search.press('Enter');
    await ui.answer().waitFor();
    const marked = () => page.evaluate(() => CSS.highlights.get('found')?.size ?? 0);
    await expect.poll(marked).toBeGreaterThanOrEqual(2);
    expect(await page.locator('[data-message=u1]').innerText()).toContain(EVIL);
  });
});

describe('Markdown runs no code and sends no requests', () => {
  it.each([
    [
      'links',
      '[a](javascript:window.pwned=1) [b](JaVaScRiPt:window.pwned=1) [c](&#106;avascript:window.pwned=1)',
    ],
    [
      'links of other kinds',
      '[a](data:text/html,<script>1</script>) [b](vbscript:x) [c](file:///etc/passwd)',
    ],
    ['links in brackets', '<javascript:window.pwned=1> <data:text/html;base64,PHNjcmlwdD4=>'],
    ['links by reference', '[a][r] ![b][r]\n\n[r]: javascript:window.pwned=1 "x\\" onclick=window.pwned=1"'],
    ['titles of links', '[a](https://example.org "\\" onmouseover=window.pwned=1 x=\\"")'],
    ['pictures', '![x](//evil.test/a.png) ![x](data:image/svg+xml,<svg/onload=window.pwned=1>)'],
    [
      'blocks of HTML',
      `<div onclick="window.pwned=1">\n${SCRIPT}\n</div>\n\n<style>@import "//evil.test"</style>`,
    ],
    ['HTML in a table', `| a |\n|---|\n| ${EVIL.replaceAll('|', '')} ${SCRIPT} |`],
    [
      'the language of code',
      '```"><img/src=//evil.test/onerror=window.pwned=1>\nx\n```\n\n```constructor\ny\n```',
    ],
    [
      'code in colours',
      '```html\n<script>window.pwned=1</script>\n<img src=//evil.test onerror=window.pwned=1>\n```',
    ],
    [
      'formulas',
      '\\(\\href{javascript:window.pwned=1}{x} \\url{javascript:1} \\includegraphics{//evil.test/a.png}\\) $$\\htmlData{onclick=window.pwned=1}{x} \\htmlStyle{background:url(//evil.test)}{y}$$',
    ],
    ['notes', 'a[^1]\n\n[^1]: <img src=//evil.test onerror=window.pwned=1> [b](javascript:window.pwned=1)'],
    ['half of a tag', 'A <img src=//evil.test/x onerror=window.pwned=1'],
  ])('%s', async (_kind, text) => {
    const core = new FakeCore();
    core.addChat({ id: 'chat-1', title: 'Chat' }, [
      { role: 'user', id: 'u1', chatId: 'chat-1', text: 'ask', at: 1 },
      fakeAnswer({ id: 'a1', replyTo: 'u1', status: 'streaming', meta: answerMeta({ source: 'ollama' }) }),
    ]);
    await ui.openChat('chat-1', core);
    const half = Math.floor(text.length / 2);
    await core.write(text.slice(0, half));
    await expect.poll(() => ui.answer().locator('.prose').count()).toBeGreaterThan(0);
    await core.write(`${text.slice(half)}\n\nThe end.`);
    await core.tell('done');
    await ui.answer().getByText('The end.').waitFor();
    for (const link of await ui.answer().locator('a').all())
      expect(await link.getAttribute('href')).toMatch(/^https:\/\/example\.org/);
    expect(await ui.answer().locator('.prose img, .prose style').count()).toBe(0);
  });
});
