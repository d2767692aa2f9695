import { describe, expect, it } from 'vitest';
import { eventPrinter } from '../../../resources/setup/lib/runtime-events.js';
import { setUpRuntimes } from '../../../resources/setup/lib/set-up-runtimes.js';
import { stepPrinter } from '../../../resources/setup/lib/steps.js';
import { setupPartSchema } from '../../../src/shared/status';

function output(isTTY = false) {
  const written: string[] = [];
  return { isTTY, write: (text: string) => written.push(text), text: () => written.join('') };
}

const event = (stage: 'build' | 'ready' | 'failed', percent: number, more: object = {}) =>
  ({ part: 'ollama', stage, detail: 'Building Ollama', percent, elapsedMs: 1500, ...more }) as const;

describe('the output of the runtime set-up', () => {
  it('is one line per stage, not per percent, without a terminal', () => {
    const out = output();
    const print = eventPrinter(out, { json: false });
    for (const percent of [1, 2, 3]) print(event('build', percent));
    print(event('ready', 100, { detail: 'Ollama 0.24.0' }));
    expect(out.text()).toBe('Ollama: Building Ollama 1 % (1.5 s)\nOllama: ready: Ollama 0.24.0 (1.5 s)\n');
  });

  it('is redrawn in place on a terminal', () => {
    const out = output(true);
    const print = eventPrinter(out, { json: false });
    print(event('build', 1));
    print(event('build', 2));
    print(event('failed', 2, { code: 'build_failed', cure: 'Try again.' }));
    expect(out.text().split('\n')).toHaveLength(4);
    expect(out.text()).toContain('\r\u001b[2KOllama: Building Ollama 2 %');
    expect(out.text()).toContain('failed: Building Ollama (1.5 s) Try again.\n');
  });

  it('is in the format of the program contract as JSON', async () => {
    const out = output();
    const results = await setUpRuntimes({
      parts: ['mlx', 'ollama'],
      place: {
        env: { MLX_API_URL: 'http://a', OLLAMA_API_URL: 'http://b' },
        platform: 'linux',
        home: '/nowhere',
      },
      manifest: {},
      allowPackages: false,
      onEvent: eventPrinter(out, { json: true }),
      now: () => 0,
    });
    const lines = out
      .text()
      .trim()
      .split('\n')
      .map((line) => setupPartSchema.parse(JSON.parse(line)));
    expect(lines.map((line) => `${line.part} ${line.stage}`).sort()).toEqual([
      'mlx check',
      'mlx ready',
      'ollama check',
      'ollama ready',
    ]);
    expect(results.map((result) => result.url)).toEqual(['http://a', 'http://b']);
  });
});

describe('the steps of npm start', () => {
  it('are two lines each without a terminal, with the time, and report a failure', async () => {
    const out = output();
    let at = 0;
    const steps = stepPrinter(out, { now: () => at });
    await steps.step('Building', async () => {
      at = 2500;
    });
    await expect(steps.step('Fetching', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(out.text().split('\n')).toEqual([
      'Building …',
      'Building: done in 2.5 s',
      'Fetching …',
      'Fetching: failed after 0.0 s',
      '',
    ]);
  });

  it('are JSON lines when the log is', async () => {
    const out = output(true);
    const steps = stepPrinter(out, { json: true, now: () => 7 });
    await steps.step('Building', async () => undefined);
    steps.say('Host: headless');
    const lines = out
      .text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toEqual({ level: 'info', time: 7, msg: 'Host: headless' });
    expect(lines[1]).toMatchObject({ msg: 'Building: done in 0.0 s', elapsedMs: 0 });
  });
});
