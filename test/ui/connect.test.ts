import { beforeEach, expect, it } from 'vitest';
import { FakeCore } from '../support/fake-bridge';
import { fakeSnapshot } from '../support/fake-snapshot';
import { uiPage } from '../support/ui-page';

/** What other programs need: the addresses, and commands to try them. */

const ui = uiPage();
/** What was copied last. */
const copied = () => ui.page.evaluate(() => document.title);

beforeEach(async () => {
  await ui.page.addInitScript(() => {
    const writeText = async (text: string) => {
      document.title = text;
    };
    Object.defineProperty(navigator, 'clipboard', { value: { writeText } });
  });
});

it('copies the addresses and ready commands', async () => {
  await ui.open(new FakeCore(), 'connect');
  await ui.page.getByRole('button', { name: 'Copy the address of MLX API' }).click();
  await expect.poll(copied).toBe('http://127.0.0.1:11435');
  await ui.page.getByRole('button', { name: 'Copy the command: A message of a known kind' }).click();
  await expect.poll(copied).toContain('curl http://127.0.0.1:11436/api/chat');
  const body = /-d '(?<json>[^']+)'/.exec(await copied())?.groups?.json ?? '';
  expect(JSON.parse(body)).toMatchObject({ model: 'auto:coding', messages: [{ role: 'user' }] });
});

it('says what does not listen, and offers commands for what does', async () => {
  const { app } = fakeSnapshot();
  await ui.open(new FakeCore(fakeSnapshot({ app: { ...app, gatewayUrl: null } })), 'connect');
  await ui.page.getByText('not listening').waitFor();
  expect(await ui.page.locator('pre').first().innerText()).toContain('curl http://127.0.0.1:11435/api/chat');
  const none = { ...app, gatewayUrl: null, mlxApiUrl: null };
  await ui.core.patch({ app: none });
  await expect.poll(() => ui.page.locator('pre').count()).toBe(0);
});
