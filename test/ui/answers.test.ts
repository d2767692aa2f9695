import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Answer } from '../../src/shared/chat';
import { FakeCore } from '../support/fake-bridge';
import { answerMeta, fakeAnswer } from '../support/fake-snapshot';
import { problemsOf, uiPage } from '../support/ui-page';

const ui = uiPage();
let page: Page;
let core: FakeCore;
/** Errors on the page's console, including violations of its policy. */
let problems: string[];

beforeEach(() => {
  page = ui.page;
  problems = problemsOf(page);
});
afterEach(() => expect(problems).toEqual([]));

const answer = () => page.getByTestId('answer').last();
const META = answerMeta({
  source: 'ollama',
  model: 'qwen3:8b',
  category: 'general',
  reasons: ['rule:general'],
});

/** Opens a chat with one answer. */
async function show(text: string, change: Partial<Answer> = {}, asked = 'ask'): Promise<void> {
  core = new FakeCore();
  core.addChat({ id: 'chat-1', title: 'Chat' }, [
    { role: 'user', id: 'u1', chatId: 'chat-1', text: asked, at: 1 },
    fakeAnswer({ id: 'a1', replyTo: 'u1', text, meta: META, ...change }),
  ]);
  await ui.openChat('chat-1', core);
  await answer().waitFor();
}

describe('nothing of an answer is lost', () => {
  it.each([
    ['Use Vec<T>, List<String> or Map<K, V>.', 'Use Vec<T>, List<String> or Map<K, V>.'],
    ['Either a<b and c>d, or not.', 'Either a<b and c>d, or not.'],
    ['<div class="a">\n  <p>text</p>\n</div>', '<div class="a">\n<p>text</p>\n</div>'],
    [
      'Before <!-- a note --> and <script>alert(1)</script> after.',
      'Before <!-- a note --> and <script>alert(1)</script> after.',
    ],
    ['It takes 3~5 days, or 100~200 hours.', 'It takes 3~5 days, or 100~200 hours.'],
    ['2*3*4 is 24, and 2**3**2 is 512.', '2*3*4 is 24, and 2**3**2 is 512.'],
    ['It costs $5 and $10.', 'It costs $5 and $10.'],
    ['[Note]: nobody\n\nRead [this](./README.md).', 'Read this (./README.md).'],
    ['[unused]: https://example.org', '[unused]: https://example.org'],
    ['first line\nsecond line', 'first line\nsecond line'],
  ])('%s', async (text, expected) => {
    await show(text);
    expect(await answer().locator('.prose').innerText()).toContain(expected);
    expect(await answer().locator('.prose').locator('del, em, strong, script, div.a').count()).toBe(0);
  });

  it('breaks lines in a cell, and keeps cells beyond the columns of the head', async () => {
    await show('| a | b |\n|---|---|\n| one<br>two | 2 | surplus |');
    const row = answer().locator('tbody tr');
    expect(await row.locator('td').first().innerText()).toBe('one\ntwo');
    expect(await row.innerText()).toContain('surplus');
  });

  it('resolves links and notes that are defined in another block', async () => {
    await show(
      'See [the page][p] and a claim[^1].\n\nMore.\n\n[p]: https://example.org/x\n[^1]: Where it **stands**.',
    );
    expect(await answer().getByRole('link', { name: 'the page' }).getAttribute('href')).toBe(
      'https://example.org/x',
    );
    await answer().getByRole('button', { name: 'Note 1' }).click();
    const note = answer().locator('aside');
    expect(await note.innerText()).toContain('Where it stands.');
    expect(await note.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await answer().innerText()).not.toContain('[');
  });

  it('copies the source without the thinking', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await show('<think>\nhm\n</think>\n\nA **bold** \\(x\\) `Vec<T>`.');
    await answer().getByRole('button', { name: 'Copy answer' }).click();
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()))
      .toBe('A **bold** \\(x\\) `Vec<T>`.');
  });
});

describe('a formula', () => {
  it.each(['\\(a_1 * b_1\\)', '$a_1 * b_1$', '\\[\na_1\n* b_1\n\\]', '$$a_1 * b_1$$'])(
    'is drawn from %j',
    async (tex) => {
      await show(`So ${tex} it is.`);
      await answer().getByTestId('formula').waitFor();
      expect(await answer().locator('.katex').count()).toBe(1);
      expect(await answer().locator('em').count()).toBe(0);
      // KaTeX positions its parts with styles, which the policy must allow.
      expect(await answer().locator('.katex [style*="height"]').count()).toBeGreaterThan(0);
    },
  );

  it('shows its source while it is written, and when it is wrong', async () => {
    await show('So \\[ \\frac{a_1', { status: 'streaming' });
    await expect.poll(() => answer().locator('.prose code').innerText()).toBe('\\frac{a_1');
    await core.write('}{b} \\]');
    await answer().getByTestId('formula').waitFor();
    await core.write('\n\nand \\(\\nosuch{x}\\).');
    await expect.poll(() => answer().locator('.prose code').last().innerText()).toBe('\\nosuch{x}');
  });
});

describe('thinking', () => {
  it.each([
    ['written by the model', 'hm **so**\n</think>\n\n'],
    ['put there by the core', 'hm **so**</think>\n\n'],
  ])('is folded during and after the stream: %s', async (_, rest) => {
    await show('<think>', { status: 'streaming' });
    const block = answer().getByTestId('thinking');
    await expect.poll(() => block.innerText()).toBe('Thinking');
    await core.write(rest);
    await core.write('The answer.');
    await core.tell('done', { thinkingMs: 12_300 });
    await expect.poll(() => block.innerText()).toBe('Thought for 12 s');
    expect(await answer().locator('.prose').innerText()).toBe('The answer.');
    await block.getByRole('button').click();
    expect(await block.locator('.prose').innerText()).toBe('hm so');
  });
});

describe('the shape of an answer', () => {
  it('shows long numbers of a list whole', async () => {
    await show('12345. item\n12346. item');
    const room = await answer()
      .locator('ol')
      .evaluate((list) => {
        const canvas = document.createElement('canvas').getContext('2d');
        if (!canvas) throw new Error('no canvas');
        canvas.font = getComputedStyle(list).font;
        return (
          Number.parseFloat(getComputedStyle(list).paddingInlineStart) - canvas.measureText('12346. ').width
        );
      });
    expect(room).toBeGreaterThanOrEqual(0);
  });

  it('breaks no word of a table', async () => {
    const head = ['Characteristics', 'Implementation', 'Compatibility', 'Recommendation'];
    await show(`| ${head.join(' | ')} |\n|---|---|---|---|\n| a | b | c | d |`);
    for (const word of head) {
      const cell = answer().locator('th', { hasText: word });
      const { height, line } = await cell.evaluate((element) => {
        const style = getComputedStyle(element);
        const inner = element.clientHeight - Number.parseFloat(style.paddingTop) * 2;
        return { height: inner, line: Number.parseFloat(style.lineHeight) };
      });
      expect(height).toBeLessThan(line * 1.5);
    }
  });

  it('runs each block in the direction of its script', async () => {
    await show('مرحبا بك\n\n- بند أول\n\nEnglish again', {}, 'مرحبا');
    const directions = await answer()
      .locator('.prose > .block')
      .evaluateAll((blocks) => blocks.map((block) => getComputedStyle(block).direction));
    expect(directions).toEqual(['rtl', 'rtl', 'ltr']);
    const asked = page.getByText('مرحبا', { exact: true });
    expect(await asked.evaluate((element) => getComputedStyle(element).direction)).toBe('rtl');
  });

  it('colours code, keeps its head in view, and wraps long lines on request', async () => {
    await show(`\`\`\`python\n${'x = "a"  # why\n'.repeat(80)}y = "${'long '.repeat(60)}"\n\`\`\``);
    await answer().locator('.code-string').first().waitFor();
    const colour = (name: string) =>
      answer()
        .locator(name)
        .first()
        .evaluate((element) => getComputedStyle(element).color);
    expect(await colour('.code-string')).not.toBe(await colour('pre'));
    expect(await colour('.code-comment')).not.toBe(await colour('.code-string'));
    await answer()
      .locator('pre')
      .evaluate((listing) => listing.scrollIntoView({ block: 'end' }));
    const head = await answer().locator('figcaption').boundingBox();
    expect(head?.y).toBeGreaterThanOrEqual(0);
    const scrolls = () =>
      answer()
        .locator('pre')
        .evaluate((listing) => listing.scrollWidth > listing.clientWidth);
    expect(await scrolls()).toBe(true);
    await answer().getByRole('button', { name: 'Wrap long lines' }).click();
    expect(await scrolls()).toBe(false);
  });

  it('removes the indent of its fence from a listing in a list', async () => {
    await show('1. Do:\n\n   ```sh\n   ls\n     -l\n   ```');
    expect(await answer().locator('pre').innerText()).toBe('ls\n  -l');
  });
});

describe('a message of 200 kB', () => {
  it('is folded and opens on a click', async () => {
    const text = 'line of words\n'.repeat(15_000);
    await show('Read.', {}, text);
    const bubble = page.locator('.plaintext');
    expect((await bubble.innerText()).length).toBeLessThan(1_500);
    await bubble.getByRole('button', { name: 'Show all (0.2 MB)' }).click();
    expect((await bubble.innerText()).length).toBeGreaterThan(200_000);
    await bubble.getByRole('button', { name: 'Show less' }).click();
    expect((await bubble.innerText()).length).toBeLessThan(1_500);
  });
});
