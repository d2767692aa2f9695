import { describe, expect, it } from 'vitest';
import { FakeCore } from '../support/fake-bridge';
import { answerMeta, fakeAnswer, fakeSnapshot } from '../support/fake-snapshot';
import { uiPage } from '../support/ui-page';

/** The UI by keyboard alone: input methods, search, and the position of the focus. */

const ui = uiPage();
const MLX = answerMeta({ source: 'mlx', model: 'phi' });

/** The focused element's name or text, `body` if nothing has the focus. */
function focused(): Promise<string> {
  return ui.page.evaluate(() => {
    const element = document.activeElement;
    if (element === null || element === document.body) return 'body';
    return element.getAttribute('aria-label') ?? element.textContent ?? element.tagName;
  });
}

/** Presses a key during a composition, and the key that ends it as WebKit reports it. */
async function composingKey(key: string): Promise<void> {
  await ui.page.evaluate((name) => {
    const target = document.activeElement;
    for (const how of [{ isComposing: true }, { keyCode: 229 }])
      target?.dispatchEvent(
        new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true, ...how }),
      );
  }, key);
}

function history(): FakeCore {
  const core = new FakeCore(fakeSnapshot());
  core.addChat({ id: 'other', title: 'Other' });
  const long = Array.from({ length: 40 }, (_, n) => `Paragraph ${n}.`).join('\n\n');
  for (const [index, title] of ['Alpha plan', 'Beta plan', 'Gamma plan'].entries()) {
    const chatId = `c${index}`;
    core.addChat({ id: chatId, title }, [
      { role: 'user', id: `u${index}`, chatId, text: 'Tell me', at: 1 },
      fakeAnswer({
        id: `a${index}`,
        replyTo: `u${index}`,
        chatId,
        text: `${long}\n\nThe **plan** is ready.\n\n${long}`,
        meta: MLX,
      }),
    ]);
  }
  return core;
}

describe('a composition keeps its keys', () => {
  it('in the composer', async () => {
    await ui.open();
    await ui.input().fill('ni hao');
    await composingKey('Enter');
    expect(ui.core.called('chatSend')).toEqual([]);
    await ui.page.keyboard.press('Enter');
    await ui.answer().waitFor();
    await ui.core.tell('streaming', MLX);
    await ui.input().fill('zai');
    await composingKey('Escape');
    expect(ui.core.called('chatStop')).toEqual([]);
  });

  it('in the search, where Escape would clear it and close the drawer', async () => {
    await ui.open(history());
    await ui.page.keyboard.press('Control+f');
    const search = ui.page.getByRole('searchbox');
    await search.fill('plan');
    await composingKey('Escape');
    expect(await search.inputValue()).toBe('plan');
    await composingKey('Enter');
    await search.fill('');
    await composingKey('Escape');
    await ui.page.keyboard.type('x');
    expect(await search.inputValue()).toBe('x');
    expect(ui.core.called('chatOpen')).toEqual([]);
  });

  it('in a name that is being edited', async () => {
    await ui.openChat('c0', history());
    await ui.page.getByRole('button', { name: 'More about “Alpha plan”' }).click();
    await ui.page.getByRole('menuitem', { name: 'Rename' }).click();
    const name = ui.page.getByRole('textbox', { name: 'Name of the chat' });
    await name.fill('Beta');
    await composingKey('Enter');
    await composingKey('Escape');
    expect(await name.inputValue()).toBe('Beta');
    expect(ui.core.called('chatRename')).toEqual([]);
  });

  it('in a field of the settings', async () => {
    await ui.open(new FakeCore(), 'settings');
    const field = ui.page.getByRole('spinbutton').first();
    await field.fill('91');
    await composingKey('Escape');
    await composingKey('Enter');
    expect(await field.inputValue()).toBe('91');
    expect(ui.core.called('settingsSet')).toEqual([]);
  });
});

describe('search by keyboard', () => {
  const hits = () => ui.page.locator('button[data-chat]').count();

  it('moves through the hits with arrows, opens one with Enter, jumps to the words and marks them', async () => {
    await ui.open(history());
    await ui.page.keyboard.press('Control+f');
    await ui.page.keyboard.type('plan');
    await expect.poll(hits).toBe(3);
    await ui.page.keyboard.press('ArrowDown');
    expect(await focused()).toContain('Alpha plan');
    await ui.page.keyboard.press('ArrowDown');
    expect(await focused()).toContain('Beta plan');
    await ui.page.keyboard.press('ArrowUp');
    await ui.page.keyboard.press('ArrowUp');
    expect(await focused()).toBe('Search chats');
    await ui.page.keyboard.press('ArrowDown');
    await ui.page.keyboard.press('ArrowDown');
    await ui.page.keyboard.press('Enter');
    await expect.poll(() => ui.core.called('chatOpen')).toEqual([{ chatId: 'c1' }]);
    const marked = () =>
      ui.page.evaluate(() =>
        [...((CSS.highlights.get('found') ?? []) as Iterable<Range>)].map((range) => {
          const { top, bottom } = range.getBoundingClientRect();
          return { words: range.toString(), inSight: top >= 0 && bottom <= innerHeight && bottom > 0 };
        }),
      );
    await expect.poll(marked).toEqual([{ words: 'plan', inSight: true }]);
    expect(await focused()).not.toBe('body');
  });

  it('opens the first hit with Enter in the field, also where the match spans several elements', async () => {
    await ui.open(history());
    ui.core.handlers.chatSearch = () => ({ chats: ui.core.snapshot.chats.slice(3) });
    await ui.page.keyboard.press('Control+f');
    await ui.page.getByRole('searchbox').fill('plan is ready');
    await expect.poll(hits).toBe(1);
    await ui.page.keyboard.press('Enter');
    await ui.answer().waitFor();
    const words = () =>
      ui.page.evaluate(() => String([...((CSS.highlights.get('found') ?? []) as Iterable<Range>)][0]));
    await expect.poll(words).toBe('plan is ready');
  });

  it('unfolds a long message that contains the match', async () => {
    const core = history();
    const text = `${'word '.repeat(3_000)}needle`;
    core.addChat({ id: 'long', title: 'needle' }, [{ role: 'user', id: 'u', chatId: 'long', text, at: 1 }]);
    await ui.open(core);
    await ui.page.keyboard.press('Control+f');
    await ui.page.getByRole('searchbox').fill('needle');
    await expect.poll(hits).toBe(1);
    await ui.page.keyboard.press('Enter');
    const count = () => ui.page.evaluate(() => CSS.highlights.get('found')?.size ?? 0);
    await expect.poll(count).toBe(1);
  });
});

describe('the focus never falls to the body', () => {
  it('when the view changes', async () => {
    await ui.open();
    await ui.input().focus();
    for (const [key, place] of [
      ['2', 'Models'],
      ['3', 'Status'],
      ['4', 'Connect'],
      ['5', 'Settings'],
      ['1', 'Message'],
    ] as const) {
      await ui.page.keyboard.press(`Control+${key}`);
      await expect.poll(focused).toBe(place);
    }
  });

  it('when the open chat is deleted, and when its toast is dismissed', async () => {
    await ui.page.setViewportSize({ width: 1000, height: 700 });
    await ui.open(history());
    await ui.page.getByRole('button', { name: 'More about “Beta plan”' }).focus();
    await ui.page.keyboard.press('Enter');
    await ui.page.getByRole('menuitem', { name: 'Delete' }).focus();
    await ui.page.keyboard.press('Enter');
    await expect.poll(() => ui.page.locator('button[data-chat]').count()).toBe(3);
    await expect.poll(focused).toContain('Gamma plan');
    await ui.page.getByRole('button', { name: 'Dismiss' }).focus();
    await ui.page.keyboard.press('Enter');
    await expect.poll(focused).not.toBe('body');
  });

  it('when the history closes', async () => {
    await ui.open(history());
    await ui.page.keyboard.press('Control+f');
    await expect.poll(focused).toBe('Search chats');
    await ui.page.keyboard.press('Escape');
    await expect.poll(focused).toBe('Message');
  });

  it('when the history closes and its button has moved meanwhile', async () => {
    await ui.open();
    await ui.input().fill('count');
    await ui.page.keyboard.press('Enter');
    await ui.answer().waitFor();
    await ui.core.tell('done', MLX);
    await ui.input().fill('go on');
    await ui.page.getByTestId('send').focus();
    await ui.page.keyboard.press('Control+f');
    await expect.poll(focused).toBe('Search chats');
    await ui.core.tell('streaming', MLX);
    await ui.page.getByTestId('stop').waitFor();
    await ui.page.keyboard.press('Escape');
    await expect.poll(focused).toBe('Send');
  });

  it('when a pressed button disappears', async () => {
    await ui.open();
    await ui.input().fill('count');
    await ui.page.getByTestId('send').click();
    await ui.answer().waitFor();
    expect(await focused()).toBe('Message');
    await ui.core.tell('streaming', MLX);
    await ui.page.getByTestId('stop').focus();
    await ui.core.tell('done', MLX);
    await expect.poll(() => ui.page.getByTestId('stop').count()).toBe(0);
    await expect.poll(focused).not.toBe('body');
  });
});
