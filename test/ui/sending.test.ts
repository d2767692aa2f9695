import { describe, expect, it } from 'vitest';
import type { CallOutput } from '../../src/shared/contract';
import { FakeCore } from '../support/fake-bridge';
import { answerMeta, fakeAnswer, fakeSnapshot, settingsView } from '../support/fake-snapshot';
import { uiPage } from '../support/ui-page';

/** A message on a slow or broken connection, what Stop ends, and what survives a reload. */

const ui = uiPage();
const delivery = () => ui.page.getByTestId('delivery');
const bubble = (text: string) => ui.page.getByText(text, { exact: true });

/** A core that delays each message until `release`, then accepts it, or loses its own reply. */
function slowCore(language: 'en' | 'ru' = 'en') {
  const core = new FakeCore(fakeSnapshot({ settings: settingsView({ language }) }));
  const held = Promise.withResolvers<void>();
  const take = core.take.bind(core);
  core.handlers.chatSend = async (input) => {
    await held.promise;
    return take(input);
  };
  return { core, release: held.resolve };
}

describe('a message on a slow connection', () => {
  it.each([
    ['en', 'Sending'],
    ['ru', 'Отправляется'],
  ] as const)(
    'appears at once as being sent, and stays in place once it has arrived (%s)',
    async (language, word) => {
      const { core, release } = slowCore(language);
      await ui.open(core);
      await ui.input().fill('hello');
      await ui.page.keyboard.press('Enter');
      await bubble('hello').waitFor();
      expect(await delivery().textContent()).toBe(word);
      expect(await ui.input().inputValue()).toBe('');
      const place = await bubble('hello').evaluateHandle((element) => element);
      release();
      await ui.answer().waitFor();
      expect(await delivery().count()).toBe(0);
      expect(await bubble('hello').count()).toBe(1);
      expect(await place.evaluate((element) => element.isConnected)).toBe(true);
    },
  );

  it.each([
    ['reads the chat again when more was pushed meanwhile than is kept', 1_500, [{ chatId: 'chat-1' }]],
    ['reads nothing again when all of it is kept', 15, []],
  ])('%s', async (_what, pushes, read) => {
    const { core, release } = slowCore();
    await ui.open(core);
    await ui.input().fill('hello');
    await ui.page.keyboard.press('Enter');
    await delivery().waitFor();
    const piece = (n: number) => ({ answerId: 'other', chatId: 'chat-2', offset: n, text: 'x' });
    await core.push(
      ...Array.from({ length: pushes }, (_, n) => ({ name: 'answerText' as const, payload: piece(n) })),
    );
    release();
    await expect.poll(() => delivery().count()).toBe(0);
    await core.tell('streaming');
    await core.write('Here I am.');
    await ui.answer().getByText('Here I am.').waitFor();
    expect(core.called('chatOpen')).toEqual(read);
  });

  it('whose reply was lost is not doubled when it is sent again', async () => {
    const core = new FakeCore();
    await ui.open(core);
    core.handlers.chatSend = (input): CallOutput<'chatSend'> => {
      core.take(input);
      throw Object.assign(new Error('lost'), { code: 'disconnected' });
    };
    await ui.input().fill('hello');
    await ui.page.keyboard.press('Enter');
    await delivery().getByText('Tandem does not answer.').waitFor();
    delete core.handlers.chatSend;
    await delivery().getByRole('button', { name: 'Send again' }).click();
    await ui.answer().waitFor();
    expect(await bubble('hello').count()).toBe(1);
    const [first, second] = core.called('chatSend').map(({ newId }) => newId);
    expect(second).toBe(first);
    expect(core.messages.get('chat-1')).toHaveLength(2);
  });

  it('is still there after a reload, and can be discarded', async () => {
    const core = new FakeCore();
    core.handlers.chatSend = () => {
      throw Object.assign(new Error('full'), { code: 'disk_full' });
    };
    await ui.open(core);
    await ui.input().fill('do not lose me');
    await ui.page.keyboard.press('Enter');
    await delivery().getByText('The disk is full.').waitFor();
    await ui.page.reload();
    await delivery().getByText('Not sent.').waitFor();
    expect(await bubble('do not lose me').count()).toBe(1);
    await delivery().getByRole('button', { name: 'Remove' }).click();
    await expect.poll(() => bubble('do not lose me').count()).toBe(0);
    expect(await ui.input().evaluate((element) => element === document.activeElement)).toBe(true);
  });

  it('that replaces another is shown in its place, and restores it on failure', async () => {
    const core = new FakeCore();
    core.addChat({ id: 'chat-1', title: 'Chat' }, [
      { role: 'user', id: 'u1', chatId: 'chat-1', text: 'first', at: 1 },
      fakeAnswer({ id: 'a1', replyTo: 'u1', text: 'An answer.', meta: answerMeta({ source: 'mlx' }) }),
    ]);
    const failing = Promise.withResolvers<never>();
    core.handlers.chatEdit = () => failing.promise;
    await ui.openChat('chat-1', core);
    await ui.input().press('ArrowUp');
    await ui.input().fill('second');
    await ui.input().press('Enter');
    await bubble('second').waitFor();
    expect(await bubble('first').count()).toBe(0);
    failing.reject(Object.assign(new Error('full'), { code: 'disk_full' }));
    await delivery().getByText('Not sent.').waitFor();
    expect(await bubble('first').count()).toBe(1);
    expect(await bubble('second').count()).toBe(1);
  });
});

describe('Stop', () => {
  const running = { status: 'streaming', text: 'writing', meta: answerMeta({ source: 'ollama' }) } as const;

  it('ends the streaming answer, not a waiting one', async () => {
    const core = new FakeCore();
    core.addChat({ id: 'chat-1', title: 'Chat' }, [
      { role: 'user', id: 'u1', chatId: 'chat-1', text: 'one', at: 1 },
      fakeAnswer({ id: 'runs', replyTo: 'u1', ...running }),
      { role: 'user', id: 'u2', chatId: 'chat-1', text: 'two', at: 2 },
      fakeAnswer({ id: 'waits', replyTo: 'u2', status: 'queued' }),
    ]);
    await ui.openChat('chat-1', core);
    await ui.page.getByTestId('stop').click();
    await expect.poll(() => core.called('chatStop')).toEqual([{ answerId: 'runs' }]);
  });

  it('ends the visible answer, not one behind a tab', async () => {
    const core = new FakeCore();
    core.addChat({ id: 'chat-1', title: 'Chat' }, [
      { role: 'user', id: 'u1', chatId: 'chat-1', text: 'one', at: 1 },
      fakeAnswer({ id: 'first', replyTo: 'u1', ...running }),
      fakeAnswer({ id: 'second', replyTo: 'u1', ...running }),
    ]);
    await ui.openChat('chat-1', core);
    await ui.page.getByRole('tab', { name: 'Answer 1 of 2: Ollama' }).click();
    await ui.page.keyboard.press('Escape');
    await expect.poll(() => core.called('chatStop')).toEqual([{ answerId: 'first' }]);
    await core.tell('done');
    await ui.page.getByTestId('stop').click();
    await expect.poll(() => core.called('chatStop').length).toBe(2);
  });
});

describe('a reload', () => {
  it('keeps the target', async () => {
    await ui.open();
    await ui.page.getByRole('button', { name: 'Who answers: Auto' }).click();
    await ui.page.getByRole('menuitemcheckbox', { name: 'qwen2.5-coder:32b' }).click();
    await ui.page.reload();
    await ui.page.getByRole('button', { name: 'Who answers: qwen2.5-coder:32b' }).waitFor();
    await ui.input().fill('hello');
    await ui.page.keyboard.press('Enter');
    await expect
      .poll(() => ui.core.called('chatSend')[0]?.target)
      .toEqual({ kind: 'model', backend: 'ollama', model: 'qwen2.5-coder:32b' });
  });

  it('uses the automatic target when the stored one is invalid', async () => {
    await ui.page.addInitScript(() =>
      sessionStorage.setItem('tandem.target', '{"kind":"model","backend":"x"}'),
    );
    await ui.open();
    await ui.page.getByRole('button', { name: 'Who answers: Auto' }).waitFor();
  });

  it.each(['gone', 'No id!'])('drops the stored target when its server is not there: %s', async (backend) => {
    const target = JSON.stringify({ kind: 'backend', backend });
    await ui.page.addInitScript((text) => sessionStorage.setItem('tandem.target', text), target);
    await ui.open();
    await ui.page.getByRole('button', { name: 'Who answers: Auto' }).waitFor();
    await ui.input().fill('hello');
    await ui.page.keyboard.press('Enter');
    await expect.poll(() => ui.core.called('chatSend')[0]?.target).toEqual({ kind: 'auto' });
    const kept = await ui.page.evaluate(() => localStorage.getItem('tandem.target'));
    expect(JSON.parse(kept ?? '')).toEqual({ kind: 'auto' });
  });
});
