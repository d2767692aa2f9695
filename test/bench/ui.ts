import { resolve } from 'node:path';
import type { CDPSession, Page } from 'playwright-core';
import { runnerImport } from 'vite';
import { launchChromium } from '../support/chromium.ts';
import { serveRenderer } from '../support/renderer-server.ts';
import type { Figures } from './report.ts';

const TOKENS = 10_000;
/** Average number of characters per token of English prose. */
const TOKEN_CHARS = 4.2;
/** A push every 33 ms with 20 tokens is 600 tokens/s, several times the speed of a local model. */
const PUSH_TOKENS = 20;
const PUSH_MS = 33;
/** The browser's threshold for a long task. */
const LONG_MS = 50;

/** All elements of an answer once; repeated until the text is long enough. */
const PROSE = 'Some words that say **something** about `code` and [links](https://example.org) in a row. ';
const UNIT = [
  '## Heading',
  PROSE.repeat(3),
  '- one item\n- another item with *weight*',
  '1. first\n2. second',
  '| a | b |\n|---|---|\n| 1 | 2 |',
  `\`\`\`python\n${'def f(x):\n    return x + 1\n\n'.repeat(6)}\`\`\``,
  '',
].join('\n\n');

/**
 * The UI under a long answer: 10,000 tokens of mixed Markdown streamed into the shipped build, in a real Chromium of
 * the popover's size, with the tests' fake bridge as the core.
 */
export async function ui(): Promise<Figures> {
  const browser = await launchChromium();
  const server = await serveRenderer();
  try {
    const page = await browser.newPage({ viewport: { width: 420, height: 640 } });
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Performance.enable');
    const answerId = await openAnswer(page, server.url);
    const units = Math.ceil((TOKENS * TOKEN_CHARS) / UNIT.length);
    const before = await busySeconds(cdp);
    await browser.startTracing(page, { categories: ['disabled-by-default-devtools.timeline'] });
    const seen = await stream(page, answerId, UNIT.repeat(units));
    const tasks = processorTimes(await browser.stopTracing());
    const after = await busySeconds(cdp);
    const blocks = await page.getByTestId('answer').locator('pre').count();
    const perPush = (name: keyof typeof before) => ((after[name] - before[name]) * 1000) / seen.pushes;
    return {
      'ui.long_tasks': { value: seen.longTasks.length, unit: 'tasks', goal: 0 },
      'ui.longest_task': { value: Math.max(0, ...seen.longTasks), unit: 'ms', goal: null },
      // Without the time in which the page waited for a CPU: this figure is stable on a busy machine.
      'ui.long_tasks_own': { value: tasks.filter((ms) => ms > LONG_MS).length, unit: 'tasks', goal: 0 },
      'ui.longest_task_own': { value: Math.max(0, ...tasks), unit: 'ms', goal: null },
      'ui.task_per_push_own': { value: total(tasks) / seen.pushes, unit: 'ms', goal: null },
      'ui.layout_shift': { value: seen.layoutShift, unit: '', goal: 0 },
      'ui.frame_p95': { value: seen.frameP95, unit: 'ms', goal: null },
      'ui.script_per_push': { value: perPush('script'), unit: 'ms', goal: null },
      'ui.task_per_push': { value: perPush('task'), unit: 'ms', goal: null },
      'ui.blocks_missing': { value: Math.abs(units - blocks), unit: 'blocks', goal: 0, correct: true },
    };
  } finally {
    await browser.close();
    await server.close();
  }
}

/** A chat whose answer has begun to stream; returns the answer's id. */
async function openAnswer(page: Page, url: string): Promise<string> {
  // The fake core shares its types with the app, whose imports have no extension: plain Node needs a loader for it.
  const file = resolve(import.meta.dirname, '../support/fake-bridge.ts');
  const { FakeCore } = (await runnerImport<typeof import('../support/fake-bridge.ts')>(file)).module;
  const core = new FakeCore();
  await core.install(page);
  await page.goto(url);
  await page.getByTestId('message-input').fill('go');
  await page.keyboard.press('Enter');
  await page.getByTestId('answer').waitFor();
  const { meta, id } = core.answer();
  await core.tell('streaming', {
    ...meta,
    source: 'ollama',
    model: 'qwen2.5-coder:32b',
    reasons: ['rule:code-request'],
    ttftMs: 900,
  });
  // Waits until on-demand code has loaded and the first layout is done.
  await page.waitForTimeout(1_000);
  return id;
}

/** Seconds that the page's main thread has spent so far: in scripts, and in all tasks. */
async function busySeconds(cdp: CDPSession): Promise<{ script: number; task: number }> {
  const { metrics } = await cdp.send('Performance.getMetrics');
  const value = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
  return { script: value('ScriptDuration'), task: value('TaskDuration') };
}

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** CPU time in microseconds. */
  tdur?: number;
  args?: { name?: string };
}

/** CPU time in ms of each task on the page's main thread. */
function processorTimes(trace: Buffer): number[] {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const threads = traceEvents.filter(
    ({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain',
  );
  const isMain = (event: TraceEvent) =>
    threads.some(({ pid, tid }) => pid === event.pid && tid === event.tid);
  const tasks = traceEvents.filter((event) => event.name === 'RunTask' && isMain(event));
  if (tasks.length === 0) throw new Error('the trace has no tasks');
  return tasks.map(({ tdur = 0 }) => tdur / 1000);
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Pushes the text piece by piece from inside the page, and records frames, long tasks and layout shifts meanwhile. */
function stream(page: Page, answerId: string, text: string) {
  const step = Math.round(PUSH_TOKENS * TOKEN_CHARS);
  return page.evaluate(
    async (job) => {
      const longTasks: number[] = [];
      const frames: number[] = [];
      let layoutShift = 0;
      new PerformanceObserver((list) => {
        longTasks.push(...list.getEntries().map((entry) => entry.duration));
      }).observe({ type: 'longtask' });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) layoutShift += (entry as unknown as { value: number }).value;
      }).observe({ type: 'layout-shift' });
      let running = true;
      let last = performance.now();
      const frame = (now: number) => {
        frames.push(now - last);
        last = now;
        if (running) requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
      let pushes = 0;
      for (let offset = 0; offset < job.text.length; offset += job.step) {
        const payload = { answerId: job.answerId, chatId: 'chat-1', offset, text: '' };
        payload.text = job.text.slice(offset, offset + job.step);
        window.fakePush?.({ name: 'answerText', payload });
        pushes += 1;
        await new Promise((done) => setTimeout(done, job.pauseMs));
      }
      // Observers report with a delay.
      await new Promise((done) => setTimeout(done, 500));
      running = false;
      const sorted = frames.slice(1).sort((a, b) => a - b);
      return {
        pushes,
        longTasks,
        layoutShift,
        frameP95: sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN,
      };
    },
    { answerId, text, step, pauseMs: PUSH_MS },
  );
}
