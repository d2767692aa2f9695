import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/shared/contract';
import type { QueueEntry } from '../../src/shared/status';
import { FakeCore } from '../support/fake-bridge';
import {
  backendStatus,
  emptyQueue,
  fakeLedger,
  fakeLife,
  fakeSnapshot,
  fakeTimes,
  ledgerEntry,
  lifeEvent,
  memoryStatus,
  settingsView,
} from '../support/fake-snapshot';
import { paleTexts } from '../support/pale-texts';
import { uiPage } from '../support/ui-page';

/** What a user sees of deaths, memory and waiting. */

const ui = uiPage();
let page: Page;
let core: FakeCore;
beforeEach(() => {
  page = ui.page;
});

async function open(change: Partial<Snapshot> = {}, view: 'status' | 'chat' = 'status'): Promise<void> {
  // The page's clock stands still, so that no time until something depends on the speed of the machine.
  await page.clock.setFixedTime(Date.now());
  core = new FakeCore(fakeSnapshot(change));
  await ui.open(core, view);
}

const MINUTE = 60_000;
const mlx = () => page.getByTestId('status-mlx');
const toast = () => page.getByRole('status').filter({ hasText: /./ }).first();
const opened = () =>
  backendStatus('mlx', {
    state: 'open',
    restarts: 10,
    readySince: null,
    breaker: { state: 'open', nextTryAt: Date.now() + 24.5 * MINUTE },
    lastError: { code: 'out_of_memory', message: 'MLX ran out of memory.', at: Date.now() },
  });

function entry(id: string, change: Partial<QueueEntry> = {}): QueueEntry {
  return {
    id,
    client: id,
    priority: 'medium',
    category: null,
    backend: 'ollama',
    model: 'qwen2.5:7b',
    state: 'waiting',
    position: 1,
    etaMs: 41_000,
    waitedMs: 0,
    ...change,
  };
}

function waiting(entries: QueueEntry[]): Snapshot['queue'] {
  const stats = emptyQueue().stats;
  return {
    stats: { ...stats, depth: entries.filter(({ state }) => state === 'waiting').length },
    entries,
  };
}

describe('a snapshot that arrives late', () => {
  it.each([
    ['is fetched again when more patches arrived than are kept', 1_500, 2],
    ['is brought up to date by what has changed meanwhile', 15, 1],
  ])('%s', async (_what, changes, asked) => {
    core = new FakeCore(fakeSnapshot());
    const held = Promise.withResolvers<void>();
    core.handlers.snapshot = async () => {
      const { revision, snapshot } = core;
      await held.promise;
      return { revision, snapshot };
    };
    await core.install(page);
    await page.goto(ui.url);
    await expect.poll(() => core.called('snapshot').length).toBe(1);
    const from = core.revision;
    core.revision += changes;
    core.snapshot = { ...core.snapshot, memory: memoryStatus({ usedPercent: 83 }) };
    await core.push(
      ...Array.from({ length: changes }, (_, n) => ({
        name: 'patch' as const,
        payload: { revision: from + n + 1, patch: { memory: core.snapshot.memory } },
      })),
    );
    held.resolve();
    await page.getByTestId('nav-status').click();
    await expect.poll(() => page.getByTestId('memory-pressure').getAttribute('data-percent')).toBe('83');
    expect(core.called('snapshot')).toHaveLength(asked);
  });
});

describe('the life of a server', () => {
  it('is a strip, and a list of moments with their causes one click away', async () => {
    await open({ life: fakeLife() });
    expect(
      await mlx()
        .getByRole('img', { name: /^MLX since .*: it stopped once$/ })
        .isVisible(),
    ).toBe(true);
    expect(await mlx().getByText('Stopped: out of GPU memory').isVisible()).toBe(false);
    await mlx().getByText('History').click();
    const moments = await mlx().getByTestId('life-mlx').getByRole('listitem').allInnerTexts();
    expect(moments.map((text) => text.replace(/^.*?(\d\d:\d\d|\d+ \w+|\w+ \d+)\s*/s, ''))).toEqual([
      'Ready after 14 s',
      'Started',
      'Goes on with a smaller prompt cache',
      'Waits until 5.2 GB of memory are free',
      'Stopped: out of GPU memory',
      'Ready after 11 s',
      'Started',
    ]);
    expect(await page.getByTestId('life-ollama').innerText()).toContain('Found running');
  });

  it('shows an unknown cause as unknown, and folds a long life', async () => {
    const many = Array.from({ length: 20 }, (_, index) => lifeEvent('started', 100 - index));
    await open({ life: [...many, lifeEvent('died', 2, { cause: 'unknown', incident: 'x' })] });
    await mlx().getByText('History').click();
    await mlx().getByText('Stopped: the cause is unknown').last().waitFor();
    expect(await mlx().getByTestId('life-mlx').getByRole('listitem').count()).toBe(8);
    await mlx().getByRole('button', { name: 'and 14 earlier' }).click();
    expect(await mlx().getByTestId('life-mlx').getByRole('listitem').count()).toBe(21);
  });

  it('copies the report of a death to the clipboard and confirms it', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await open({ life: fakeLife() });
    core.handlers.incidentReport = ({ id }) => ({ text: `report of ${id}` });
    await mlx().getByText('History').click();
    await mlx()
      .getByRole('button', { name: /^Copy the report of / })
      .click();
    await page.getByText('Report copied. Nothing of your messages is in it.').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('report of incident-1');
  });

  it('offers the report next to the problem itself, and says when it is gone', async () => {
    await open({ backends: [opened(), backendStatus('ollama')], life: fakeLife() });
    core.handlers.incidentReport = () => {
      throw Object.assign(new Error('gone'), { code: 'not_found' });
    };
    await mlx().getByText('Copy report').click();
    await expect.poll(() => toast().innerText()).toContain('This is gone.');
  });
});

describe('a server that is in backoff or runs smaller', () => {
  it('shows when the next retry is, and lets the user retry at once', async () => {
    await open({ backends: [opened(), backendStatus('ollama')] });
    expect(await mlx().innerText()).toContain(
      'It stopped 10 times in a row, so Ollama answers for now. Nothing was lost. Next try in 25 min.',
    );
    await page.getByRole('button', { name: 'Try MLX again' }).click();
    await expect.poll(() => core.called('backendRestart')).toEqual([{ backend: 'mlx' }]);
    const probing = {
      ...opened(),
      state: 'starting' as const,
      breaker: { state: 'half_open', nextTryAt: null },
    };
    await core.patch({ backends: [probing as ReturnType<typeof opened>, backendStatus('ollama')] });
    await mlx().getByText('It is being tried with one short answer.').waitFor();
  });

  it('says that only the user can start it', async () => {
    const stuck = { ...opened(), restarts: 3, breaker: { state: 'open' as const, nextTryAt: null } };
    await open({ backends: [stuck, backendStatus('ollama')] });
    expect(await mlx().innerText()).toContain(
      'It cannot run as it is, so Ollama answers for now. Nothing was lost. It is not tried again by itself.',
    );
  });

  it('does not say that the other server answers when that one is down too', async () => {
    const down = backendStatus('ollama', { state: 'backoff', nextStartAt: Date.now() + 8_000 });
    await open({ backends: [opened(), down] });
    const words = await mlx().innerText();
    expect(words).toContain('It stopped 10 times in a row, and no other server can answer now. Next try in');
    expect(await page.getByTestId('status-ollama').innerText()).toContain('Until then nothing can answer.');
    await page.getByTestId('nav-chat').click();
    const note = page.getByTestId('attention');
    await note.getByText('MLX has stopped, and no other server can answer.').waitFor();
  });

  it('shows shorter prefill steps without a rung, and a restart of the Mac in the history', async () => {
    const ladder = {
      kind: 'full' as const,
      ...{ rung: 0, rungs: 4, promptCacheBytes: 1e9, contextTokens: null, model: null },
      ...{ prefillStepTokens: 64, climbsAt: null },
    };
    const moment = { backend: 'mlx', cause: null, facts: {}, incident: null } as const;
    await open({
      backends: [backendStatus('mlx', { ladder }), backendStatus('ollama')],
      life: [...fakeLife(), { ...moment, at: Date.now(), type: 'kernel_panic' }],
    });
    const words = 'Reads prompts in pieces of 64 tokens since macOS ended GPU work that took too long.';
    await mlx().getByText(words).waitFor();
    await mlx().getByText('History').click();
    await mlx()
      .getByText('macOS restarted after a fault in the GPU’s memory management', { exact: true })
      .waitFor();
  });

  it('shows what it does without and until when, and its limits only on demand', async () => {
    const smaller = backendStatus('mlx', {
      ladder: {
        rung: 2,
        rungs: 3,
        kind: 'context',
        promptCacheBytes: null,
        contextTokens: 8192,
        prefillStepTokens: null,
        model: null,
        climbsAt: Date.now() + 20.5 * 60 * MINUTE,
      },
      hangLimits: { silenceMs: 3_000, stepMs: 12_000, learned: true },
    });
    await open({ backends: [smaller, backendStatus('ollama')], life: fakeLife() });
    await mlx()
      .getByText(
        'Context limited to 8,192 tokens since memory ran out (step 2 of 3). Grows again in 21 h if all stays well.',
      )
      .waitFor();
    const limits = mlx().getByText(
      'Counts as hung after 3 s without a sign or 12 s on one step (learned from its own pace).',
    );
    expect(await limits.isVisible()).toBe(false);
    await mlx().getByText('History').click();
    expect(await limits.isVisible()).toBe(true);
  });
});

describe('memory', () => {
  it('is one bar for both servers with its limits in bytes, and each figure with its source and age', async () => {
    await open({ ledger: fakeLedger() });
    const card = page.getByTestId('memory-pressure');
    const words = (await card.innerText()).replaceAll(/\s+/g, ' ');
    expect(words).toContain('System 30 GB MLX 3.8 GB Ollama 21 GB Promised 6.1 GB');
    expect(words).toContain('GPU 72 GB Warning 82 GB Critical 91 GB');
    await card.getByText('Where the figures come from').click();
    const row = card.getByRole('listitem').filter({ hasText: 'KV cache' });
    expect((await row.first().innerText()).replaceAll(/\s+/g, ' ')).toMatch(
      /KV cache reported by MLX, \d+ s ago 922 MB/,
    );
    expect(await row.last().innerText()).toContain('unknown');
  });

  it('shows a server without a figure as unknown, not as zero', async () => {
    await open({ ledger: fakeLedger({ entries: [ledgerEntry({ kind: 'process', bytes: null })] }) });
    expect(await page.getByTestId('memory-pressure').innerText()).toContain('MLX unknown');
  });

  it('shows its last decision with the figures', async () => {
    const lastDecision = {
      at: Date.now(),
      kind: 'refuse' as const,
      backend: 'mlx' as const,
      model: null,
      rule: 'working_set',
      neededBytes: 21 * 1024 ** 3,
      freeBytes: 6 * 1024 ** 3,
    };
    await open({ ledger: fakeLedger({ lastDecision }) });
    expect(await page.getByTestId('memory-pressure').innerText()).toContain(
      'MLX was spared a request. The GPU could not have held it. It needed 21 GB, 6 GB was free.',
    );
  });
});

describe('the queue', () => {
  it('shows place, priority and time of each request, and all of them on demand', async () => {
    const entries = Array.from({ length: 43 }, (_, index) =>
      entry(`client-${index}`, { position: index + 1 }),
    );
    await open({ queue: waiting([...entries, entry('now', { state: 'running', position: null })]) });
    const rows = page.getByTestId('queue-row');
    expect(await rows.count()).toBe(6);
    expect(await rows.first().innerText()).toContain('about 40 s left');
    expect((await rows.nth(2).innerText()).replaceAll(/\s+/g, ' ')).toContain(
      'client-1 Ollama · 2nd · normal priority about 40 s',
    );
    await page.getByRole('button', { name: 'and 38 more' }).click();
    expect(await rows.count()).toBe(44);
    await page.getByRole('button', { name: 'Cancel the request: client-42' }).click();
    await expect.poll(() => core.called('queueCancel')).toEqual([{ id: 'client-42' }]);
  });

  it('cancels a request, by keyboard too, and keeps the focus', async () => {
    await open({ queue: waiting([entry('nightly', { priority: 'low' }), entry('other', { position: 2 })]) });
    core.handlers.queueCancel = async () => {
      await core.patch({ queue: waiting([entry('other')]) });
      return {};
    };
    await page.getByRole('button', { name: 'Cancel the request: nightly' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => core.called('queueCancel')).toEqual([{ id: 'nightly' }]);
    await page.getByText('Request cancelled').waitFor();
    await expect.poll(() => page.getByTestId('queue-row').count()).toBe(1);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Queue');
  });

  it('shows why a request cannot be cancelled, and offers a retry', async () => {
    await open({ queue: waiting([entry('nightly')]) });
    core.handlers.queueCancel = () => {
      throw Object.assign(new Error('gone'), { code: 'not_found' });
    };
    const button = page.getByRole('button', { name: 'Cancel the request: nightly' });
    await button.click();
    await expect.poll(() => toast().innerText()).toContain('This is gone.');
    expect(await button.isEnabled()).toBe(true);
  });
});

describe('the times of the models', () => {
  it('are shown with their source, measured ones first', async () => {
    await open({ times: fakeTimes().toReversed() });
    const rows = page.getByTestId('model-times').locator('tbody tr');
    const words = (await rows.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' '));
    expect(words).toEqual([
      'MLX Phi-3.5-mini measured 46 times 11 s 12 s',
      'Ollama qwen2.5-coder:32b measured 12 times 18 s 42 s',
      'Ollama my-finetune guessed by size unknown 40 s',
      'Ollama llama3.3:70b first guess 2 min 2 min',
    ]);
  });
});

describe('an answer', () => {
  const answer = () => page.getByTestId('answer').last();
  const ask = async () => {
    await page.getByTestId('message-input').fill('hello');
    await page.keyboard.press('Enter');
    await answer().waitFor();
  };

  it('counts down while it waits, without moving the layout', async () => {
    await open({}, 'chat');
    await ask();
    await core.tell('queued', { source: 'ollama', position: 22, etaMs: 200_000 });
    await expect.poll(() => answer().innerText()).toContain('22nd in line, about 3 min');
    const before = await answer().boundingBox();
    await core.tell('queued', { position: 2, etaMs: 21_000 });
    await expect.poll(() => answer().innerText()).toContain('2nd in line, about 20 s');
    await core.tell('queued', { position: 1, etaMs: null });
    await expect.poll(() => answer().innerText()).toContain('Next in line');
    expect(await answer().boundingBox()).toEqual(before);
  });

  it('says in one quiet line that another server took over', async () => {
    await open({}, 'chat');
    await ask();
    const reasons = ['rule:greeting', 'fallback:mlx-out-of-memory'];
    await core.tell('queued', { source: 'ollama', reasons });
    const line = page.getByTestId('answer-rescue');
    await expect.poll(() => line.innerText()).toBe('MLX stopped: out of GPU memory. Ollama takes over.');
    await core.write('Hello.');
    await core.tell('done');
    await expect.poll(() => line.innerText()).toBe('MLX stopped: out of GPU memory. Ollama answered.');
    expect((await line.boundingBox())?.height).toBeLessThan(24);
  });

  it('that memory held back is shown as a decision, which the user may overrule once', async () => {
    const details = {
      rule: 'working_set',
      model: 'org/big',
      neededBytes: 21 * 1024 ** 3,
      freeBytes: 6 * 1024 ** 3,
    };
    const error = { code: 'memory_critical', message: 'Held back.', details };
    await open({}, 'chat');
    await ask();
    const target = { kind: 'model', backend: 'mlx', model: 'org/big' } as const;
    await core.tell('failed', { source: 'app', target, reasons: ['explicit:model'], error });
    const spared = page.getByTestId('answer-spared');
    expect(await spared.innerText()).toContain('Kept back so that memory does not run out');
    expect(await spared.innerText()).toContain('big needs 21 GB, and the GPU has 6 GB left.');
    await spared.getByRole('button', { name: 'Try anyway' }).click();
    await expect
      .poll(() => core.called('chatRetry'))
      .toEqual([{ answerId: 'answer-1', target, overruleMemory: true }]);
  });

  const asked = { kind: 'model', backend: 'mlx', model: 'org/big' } as const;
  it.each([
    ['the server', undefined, { kind: 'backend', backend: 'mlx' }],
    [
      'the server, and not for the other’s model',
      { ...asked, backend: 'ollama' as const },
      { kind: 'backend', backend: 'mlx' },
    ],
    ['the model that was chosen there', asked, asked],
  ])('that was rerouted for memory can still be sent to MLX: of %s', async (_what, target, expected) => {
    await open({}, 'chat');
    await ask();
    await core.write('Hello.');
    await core.tell('done', {
      source: 'ollama',
      category: 'greeting',
      reasons: ['memory:working-set'],
      target,
    });
    await page.getByRole('button', { name: 'Why?' }).click();
    await page.getByRole('button', { name: 'Ask MLX anyway' }).click();
    await expect
      .poll(() => core.called('chatRetry').at(-1))
      .toEqual({ answerId: 'answer-1', target: expected, overruleMemory: true });
  });
});

describe('an event that needs the user', () => {
  it('is one line that can be dismissed, and reappears only for a new event', async () => {
    await open({ backends: [opened(), backendStatus('ollama')] }, 'chat');
    const note = page.getByTestId('attention');
    await note.getByText('MLX has stopped. Ollama answers meanwhile.').waitFor();
    await note.getByRole('button', { name: 'Dismiss' }).click();
    await expect.poll(() => note.count()).toBe(0);
    const healthy = [backendStatus('mlx'), backendStatus('ollama')];
    const probing = {
      ...opened(),
      state: 'starting' as const,
      breaker: { state: 'half_open' as const, nextTryAt: null },
    };
    await core.patch({ backends: [probing, backendStatus('ollama')] });
    await core.patch({ backends: [opened(), backendStatus('ollama')] });
    await expect.poll(() => note.count()).toBe(0);
    await core.patch({ backends: healthy });
    await core.patch({ backends: [opened(), backendStatus('ollama')] });
    await note.getByRole('button', { name: 'Show' }).click();
    await mlx().waitFor();
    expect(await note.count()).toBe(0);
  });

  it('does not include problems that Tandem repairs itself', async () => {
    const backoff = backendStatus('mlx', { state: 'backoff', nextStartAt: Date.now() + 8_000 });
    await open({ backends: [backoff, backendStatus('ollama')] }, 'chat');
    await page.getByTestId('message-input').waitFor();
    expect(await page.getByTestId('attention').count()).toBe(0);
  });
});

describe('all of it', () => {
  const everything = (language: 'en' | 'ru'): Partial<Snapshot> => ({
    backends: [opened(), backendStatus('ollama', { activeRequests: 1 })],
    memory: memoryStatus({ pressure: 'critical', usedPercent: 96 }),
    ledger: fakeLedger(),
    life: fakeLife(),
    times: fakeTimes(),
    queue: waiting([entry('a client with quite a long name', { category: 'data_question', position: 12 })]),
    settings: settingsView({ language }),
  });

  it.each([
    ['light', 'en', 420],
    ['dark', 'ru', 420],
    ['light', 'ru', 1280],
    ['dark', 'en', 320],
  ] as const)('stays legible and within its width: %s, %s, %i px', async (theme, language, width) => {
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize({ width, height: 900 });
    await open(everything(language));
    for (const summary of await page.locator('summary').all()) await summary.click();
    expect(await page.evaluate(paleTexts)).toEqual([]);
    const wider = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('main *')]
        .filter((element) => element.checkVisibility())
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
        .map((element) => element.outerHTML.slice(0, 90)),
    );
    expect(wider).toEqual([]);
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll('main button')]
        .filter((button) => !button.textContent?.trim() && !button.getAttribute('aria-label'))
        .map((button) => button.outerHTML.slice(0, 90)),
    );
    expect(nameless).toEqual([]);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('main button, main summary')]
        .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 24)
        .map((element) => element.outerHTML.slice(0, 90)),
    );
    expect(small).toEqual([]);
  });
});
