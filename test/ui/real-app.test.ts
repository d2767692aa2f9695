import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SMALL_MODEL_NAME } from '../../src/shared/domain';
import { type App, ask, startApp, until } from '../support/app';
import { launchChromium } from '../support/chromium';
import { CODE } from '../support/counting-app';
import { signalAll } from '../support/processes';

/** The whole product as a user sees it: built UI, real core, both real servers, real Chromium. */
let app: App;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  app = await startApp();
  const answers = async () => (await ask(app.ready.gateway, CODE)).status === 200;
  await until(answers, 'the small model is in Ollama');
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 420, height: 640 } });
  await page.goto(app.ready.web);
});

afterAll(async () => {
  await browser?.close();
  await app?.stop();
  await app?.remove();
});

const mlxPid = async () => (await app.health()).backends.mlx?.pid ?? null;

async function say(text: string) {
  const before = await page.getByTestId('answer').count();
  await page.getByTestId('message-input').fill(text);
  await page.getByTestId('send').click();
  const answer = page.getByTestId('answer').nth(before);
  await answer.waitFor();
  await expect.poll(() => answer.getAttribute('data-status')).toMatch(/done|failed/);
  return answer;
}

describe('the UI over the real core', () => {
  it('drops the token from the address', async () => {
    await page.getByTestId('message-input').waitFor();
    expect(page.url()).not.toContain('token');
  });

  it('labels a greeting MLX and code Ollama, with the reason', async () => {
    const hello = await say('hello');
    expect(await hello.getAttribute('data-backend')).toBe('mlx');
    expect(await hello.getAttribute('data-status')).toBe('done');
    expect(await hello.getByTestId('answer-label').textContent()).toContain('MLX');
    const code = await say(CODE);
    expect(await code.getAttribute('data-backend')).toBe('ollama');
    expect(await code.getAttribute('data-model')).toBe(SMALL_MODEL_NAME);
    expect(await code.getByTestId('answer-reasons').count()).toBe(1);
  });

  it('keeps the chat over a reload', async () => {
    await page.reload();
    await expect.poll(() => page.getByTestId('answer').count()).toBe(2);
  });

  it('shows both servers and restarts MLX by a button', async () => {
    await page.getByTestId('nav-status').click();
    const mlx = page.getByTestId('status-mlx');
    await expect.poll(() => mlx.getAttribute('data-state')).toBe('ready');
    const before = await mlxPid();
    await page.getByTestId('restart-mlx').click();
    await until(async () => ![before, null].includes(await mlxPid()), 'a new process');
    await expect.poll(() => mlx.getAttribute('data-state')).toBe('ready');
    expect(Number(await page.getByTestId('memory-pressure').getAttribute('data-percent'))).toBeGreaterThan(0);
    expect(await page.getByTestId('queue-depth').getAttribute('data-depth')).toBe('0');
  });

  it('shows that MLX died, and that the user still gets an answer', async () => {
    await page.getByTestId('nav-chat').click();
    const pid = await mlxPid();
    if (pid === null) throw new Error('MLX has no process');
    process.kill(pid, 'SIGKILL');
    const answer = await say('hello again');
    expect(await answer.getAttribute('data-status')).toBe('done');
    expect(['mlx', 'ollama']).toContain(await answer.getAttribute('data-backend'));
  });

  it('shows the death in the timeline, with a report that contains nothing of the message', async () => {
    await page.getByTestId('nav-status').click();
    const life = page.getByTestId('life-mlx');
    await expect.poll(() => page.getByTestId('status-mlx').getAttribute('data-state')).toBe('ready');
    await life.getByText('History').click();
    await life.getByText('Stopped: ended from outside').first().waitFor();
    await page.evaluate(() => {
      const writeText = async (text: string) => {
        document.title = text;
      };
      Object.assign(navigator.clipboard, { writeText });
    });
    await life
      .getByRole('button', { name: /^Copy the report of / })
      .first()
      .click();
    await page.getByText('Report copied.').waitFor();
    const report = await page.title();
    expect(report).toContain('SIGKILL');
    expect(report).not.toContain('hello again');
  });

  it('shows the ledger of both servers with the source of each figure', async () => {
    const memory = page.getByTestId('memory-pressure');
    await expect.poll(() => memory.innerText()).toMatch(/GPU [\d.]+ GB/);
    await memory.getByText('Where the figures come from').click();
    expect(await memory.getByRole('listitem').filter({ hasText: 'whole server' }).count()).toBe(2);
    await expect.poll(() => memory.innerText()).toContain('reported by MLX');
  });

  it('shows the times of each model', async () => {
    expect(await page.getByTestId('model-times').innerText()).toMatch(/measured/);
  });

  it('shows the requests that wait for a hung server, and cancels one on request', async () => {
    const pid = (await app.health()).backends.ollama?.pid;
    if (!pid) throw new Error('Ollama has no process');
    const body = JSON.stringify({ model: `ollama/${SMALL_MODEL_NAME}`, prompt: 'Hello', stream: false });
    process.kill(pid, 'SIGSTOP');
    try {
      const asked = Array.from({ length: 6 }, () =>
        fetch(`${app.ready.gateway}/api/generate`, { method: 'POST', body }).then(({ status }) => status),
      );
      const second = page.getByTestId('queue-row').filter({ hasText: '2nd · normal priority' });
      await second.getByRole('button', { name: /^Cancel the request/ }).click();
      await page.getByText('Request cancelled').waitFor();
      expect(await Promise.race(asked)).toBeGreaterThanOrEqual(400);
      signalAll([pid], 'SIGCONT');
      expect((await Promise.all(asked)).filter((status) => status === 200)).toHaveLength(5);
    } finally {
      signalAll([pid], 'SIGCONT');
    }
    await expect.poll(() => page.getByTestId('queue-row').count()).toBe(0);
  });

  it('switches MLX_ONLY_LIGHT', async () => {
    await page.getByTestId('nav-settings').click();
    const toggle = page.getByTestId('mlx-only-light');
    expect(await toggle.getAttribute('aria-checked')).toBe('true');
    await toggle.click();
    const confirm = page.getByRole('button', { name: /switch off|allow|turn off/i });
    if (await confirm.count()) await confirm.first().click();
    await expect.poll(() => toggle.getAttribute('aria-checked')).toBe('false');
    await page.reload();
    await page.getByTestId('nav-settings').click();
    await expect.poll(() => page.getByTestId('mlx-only-light').getAttribute('aria-checked')).toBe('false');
  });
});
