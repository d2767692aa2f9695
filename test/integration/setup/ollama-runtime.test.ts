import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type RuntimeEvent, setUpRuntimes } from '../../../resources/setup/lib/set-up-runtimes.js';
import { FakeBuildTools } from '../../support/fake-build-tools.js';
import { tempDir } from '../../support/temp-dir.js';

let tools: FakeBuildTools;

beforeEach(() => {
  tools = new FakeBuildTools(tempDir());
});

/** Sets Ollama up and yields every event. */
async function setUp(options: { signal?: AbortSignal; onEvent?: (event: RuntimeEvent) => void } = {}) {
  const events: RuntimeEvent[] = [];
  const onEvent = (event: RuntimeEvent) => {
    events.push(event);
    options.onEvent?.(event);
  };
  const { place, manifest } = tools;
  const { signal } = options;
  await setUpRuntimes({
    parts: ['ollama'],
    place,
    manifest,
    allowPackages: false,
    adopt: false,
    onEvent,
    signal,
  });
  return { events, last: events.at(-1) };
}

/** Sets Ollama up and aborts before the third of four steps, as when the app quits. */
async function interrupted(): Promise<void> {
  const wait = tools.mark('wait');
  const controller = new AbortController();
  const { events } = await setUp({
    signal: controller.signal,
    // All but the last two steps.
    onEvent: ({ percent }) => (percent ?? 0) > 50 && controller.abort(),
  });
  expect(events.at(-1)?.stage).toBe('build');
  rmSync(wait);
}

const entries = (...path: string[]) => readdirSync(join(tools.runtimes, ...path)).sort();

describe('the managed Ollama', () => {
  it('is built with its three programs, and nothing else remains', async () => {
    const { events, last } = await setUp();
    const path = join(tools.runtimes, 'ollama-9.9.9', 'bin', 'ollama');
    expect(last).toMatchObject({ stage: 'ready', source: 'managed', path, version: '9.9.9', percent: 100 });
    expect(entries('ollama-9.9.9')).toEqual(['bin', 'lib', 'tandem-runtime.json']);
    expect(entries('ollama-9.9.9', 'lib', 'ollama')).toEqual(['llama-quantize', 'llama-server']);
    expect(entries().filter((name) => name.includes('ollama'))).toEqual(['ollama-9.9.9']);
    const percents = events.flatMap(({ percent }) => percent ?? []);
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
    tools.calls();
    expect((await setUp()).last).toMatchObject({ stage: 'ready', path });
    expect(tools.calls()).toEqual([]);
  });

  it('continues after an interruption with what is downloaded and compiled', async () => {
    await interrupted();
    expect(tools.calls().slice(-2)).toEqual(['cmake step 1', 'cmake step 2']);
    expect((await setUp()).last).toMatchObject({ stage: 'ready' });
    const calls = tools.calls();
    expect(calls).not.toContain('fetch');
    expect(calls.slice(-2)).toEqual(['cmake step 3', 'cmake step 4']);
  });

  it('is built from the start when another version is required after an interruption', async () => {
    await interrupted();
    tools.calls();
    tools.manifest.ollama.moduleVersion = 'v9.9.9-other';
    await setUp();
    expect(tools.calls()).toEqual(expect.arrayContaining(['fetch', 'cmake step 1']));
  });

  it('is continued after a failure, and built from the start after a second one', async () => {
    const broken = tools.mark('broken');
    expect((await setUp()).last).toMatchObject({
      stage: 'failed',
      code: 'build_failed',
      detail: expect.stringContaining('it is broken'),
      cure: expect.any(String),
    });
    expect((await setUp()).last).toMatchObject({ stage: 'failed', code: 'build_failed' });
    expect(tools.calls().filter((call) => call === 'fetch')).toHaveLength(1);
    expect(entries().filter((name) => name.includes('ollama'))).toEqual([]);
    rmSync(broken);
    expect((await setUp()).last).toMatchObject({ stage: 'ready' });
    expect(tools.calls()).toContain('fetch');
  });

  it('is used in its earlier version while the new one is built, and the earlier one is kept', async () => {
    const path = tools.earlier('0.24.0');
    tools.earlier('0.23.0');
    const { events } = await setUp();
    const building = events.filter(({ stage }) => stage === 'download' || stage === 'build');
    expect(building.length).toBeGreaterThan(1);
    for (const event of building) expect(event).toMatchObject({ path, version: '0.24.0' });
    expect(events.at(-1)).toMatchObject({ stage: 'ready', version: '9.9.9' });
    expect(entries().filter((name) => name.includes('ollama'))).toEqual(['ollama-0.24.0', 'ollama-9.9.9']);
  });

  it('is used in its earlier version when the new one cannot be built', async () => {
    const path = tools.earlier('0.24.0');
    tools.mark('broken');
    const { last } = await setUp();
    expect(last).toMatchObject({ stage: 'ready', path, version: '0.24.0' });
    expect(last?.detail).toContain('the update failed');
    expect(existsSync(path)).toBe(true);
  });

  it('names the missing tools, and how to install them', async () => {
    const { ollama } = tools.manifest;
    ollama.tools[0].programs = ['no-such-cmake'];
    ollama.tools[3].programs = ['no-such-compiler'];
    expect((await setUp()).last).toMatchObject({
      stage: 'absent',
      code: 'no_build_tools',
      detail: 'Building Ollama needs cmake, g++.',
      command: 'sudo apt-get install -y cmake g++',
    });
    ollama.tools[0].programs = ['cmake'];
    ollama.cmakeMinimum = '4.0';
    const { last } = await setUp();
    expect(last).toMatchObject({ stage: 'absent', code: 'no_build_tools' });
    expect(last?.detail).toBe('Building Ollama needs CMake 4.0 or newer; found 3.99.0.');
  });
});
