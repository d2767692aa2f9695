import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { Catalogue } from '../../../src/main/backends/ollama/catalogue';
import { withForeignContext } from '../../../src/main/backends/ollama/foreign-context';
import type { OllamaApi } from '../../../src/main/backends/ollama/ollama-api';
import { Residents } from '../../../src/main/backends/ollama/residents';
import { RunnerCare } from '../../../src/main/backends/ollama/runner-care';
import { Runners } from '../../../src/main/backends/ollama/runners';
import { silentLogger } from '../../../src/main/ports/logger';
import { UNOBSERVED } from '../../../src/main/supervisor/life';
import { FakeClock, settle } from '../../support/fake-clock';
import { FakeProcessTable } from '../../support/fake-processes';
import { ScriptedOllama } from '../../support/scripted-ollama';

const never = new AbortController().signal;

async function adopted(...names: string[]) {
  const clock = new FakeClock();
  const server = new ScriptedOllama();
  server.loaded = names.map((name) => ({ name: `${name}:latest`, size: 1000 }));
  const residents = new Residents(clock, (model) => (model === 'new' ? 700 : null));
  residents.changed(false);
  await residents.refresh(server.api, never);
  /** Sends a request of ours to a model and completes it. */
  const use = async (model: string) => {
    residents.begin(model);
    if (!server.loaded.some(({ name }) => name === `${model}:latest`)) {
      server.loaded = [...server.loaded, { name: `${model}:latest`, size: 2000 }];
    }
    await residents.refresh(server.api, never);
    residents.end(model);
  };
  return { clock, server, residents, use };
}

describe('models in the memory of a foreign server', () => {
  test('are ours when a request of ours loaded them', async () => {
    const { residents, use } = await adopted('theirs');
    await use('theirs');
    await use('ours');
    expect(residents.list()).toMatchObject([
      { name: 'theirs', ours: false, ready: true, size: { bytes: 1000, source: 'api/ps' } },
      { name: 'ours', ours: true, ready: true, active: 0 },
    ]);
  });

  test('keep their context: a request is sent with it, also to one that was loaded a moment ago', async () => {
    const { clock, server, residents } = await adopted('theirs');
    const parts = { clock, residents };
    const request = { ...{ id: 'r', model: 'theirs', messages: [], sampling: {} }, pinnedContext: 8192 };
    const sent = (model: string) => withForeignContext(parts, server.api, { ...request, model }, never);
    server.loaded = [
      { name: 'theirs:latest', context_length: 2048 },
      { name: 'other:latest', context_length: 512 },
    ];
    expect(await sent('other')).toMatchObject({ pinnedContext: 512, sampling: { maxTokens: 512 } });
    expect(await sent('theirs:latest')).toMatchObject({ pinnedContext: 2048 });
    expect(await sent('absent')).toMatchObject({ pinnedContext: 8192 });
    server.gone = true;
    expect(await sent('absent')).toMatchObject({ pinnedContext: 8192 });
  });

  test('are waited for only for two seconds', async () => {
    const { clock, server, residents } = await adopted();
    server.silent = ['/api/ps'];
    const request = { id: 'r', model: 'm', messages: [], sampling: {} };
    const sent = withForeignContext({ clock, residents }, server.api, request, never);
    await clock.advance(2_000);
    expect(await sent).toEqual(request);
    const left = new AbortController();
    const cancelled = withForeignContext({ clock, residents }, server.api, request, left.signal);
    left.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('are foreign before anything is known of them', async () => {
    const residents = new Residents(new FakeClock(), () => null);
    residents.changed(false);
    residents.begin('m');
    expect(residents.isOurs('m')).toBe(false);
    expect(residents.list()).toEqual([]);
  });

  test('are freed at the user’s request, whoever loaded them, but not while a request of ours uses them', async () => {
    const { server, residents } = await adopted('theirs');
    await expect(residents.unload(server.api, 'theirs', never)).rejects.toMatchObject({
      code: 'unsupported',
    });
    residents.begin('theirs');
    await expect(residents.free(server.api, 'theirs', never)).rejects.toMatchObject({ code: 'busy' });
    residents.end('theirs');
    await residents.free(server.api, 'theirs', never);
    expect(residents.list()).toEqual([]);
    await residents.free(server.api, 'gone', never);
  });

  test('one that is loading is reported with the size of its file', async () => {
    const { residents } = await adopted();
    residents.begin('new');
    expect(residents.list()).toMatchObject([
      { name: 'new', ready: false, ours: true, active: 1, size: { bytes: 700, source: 'estimate' } },
    ]);
  });

  test('one that is listed during its load is ready when it answers, or when no request waits', async () => {
    const { server, residents } = await adopted();
    const isReady = () => residents.list().map(({ ready }) => ready);
    residents.begin('new');
    residents.begin('new');
    server.loaded = [{ name: 'new:latest', size: 900 }];
    await residents.refresh(server.api, never);
    expect(residents.list()).toMatchObject([{ name: 'new', ready: false, size: { bytes: 900 } }]);
    await expect(residents.unload(server.api, 'new', never)).rejects.toMatchObject({ code: 'unsupported' });
    residents.end('new');
    expect(isReady()).toEqual([false]);
    residents.answering('new');
    expect(isReady()).toEqual([true]);
    residents.begin('new');
    expect(isReady()).toEqual([true]);
    residents.end('new');
    residents.end('new');
    server.loaded = [];
    await residents.refresh(server.api, never);
    residents.begin('new');
    server.loaded = [{ name: 'new:latest', size: 900 }];
    await residents.refresh(server.api, never);
    residents.end('new');
    expect(isReady()).toEqual([true]);
  });

  test('foreign ones, and ones that answer, stay', async () => {
    const { server, residents, use } = await adopted('theirs');
    await use('ours');
    residents.begin('ours');
    await expect(residents.unload(server.api, 'theirs', never)).rejects.toMatchObject({
      code: 'unsupported',
    });
    await expect(residents.unload(server.api, 'ours', never)).rejects.toMatchObject({ code: 'unsupported' });
    residents.end('ours');
    await residents.unload(server.api, 'ours', never);
    await residents.unload(server.api, 'ours', never);
    expect(residents.list().map(({ name }) => name)).toEqual(['theirs']);
  });

  test('only ours are evicted, idle and not used within 30 s', async () => {
    const { clock, server, residents, use } = await adopted('theirs');
    await use('old');
    await use('busy');
    residents.begin('busy');
    await clock.advance(29_000);
    await use('recent');
    expect(await residents.makeRoom(server.api, 'wanted', never)).toBe(0);
    await clock.advance(1000);
    expect(await residents.makeRoom(server.api, 'old', never)).toBe(0);
    expect(await residents.makeRoom(server.api, 'wanted', never)).toBe(1);
    expect(residents.list().map(({ name }) => name)).toEqual(['theirs', 'busy', 'recent']);
  });

  test.each([-3_600_000, 3_600_000])('a clock change of %d ms makes none of it older', async (jump) => {
    const { clock, server, residents, use } = await adopted();
    await use('old');
    await clock.advance(31_000);
    await use('recent');
    clock.jump(jump);
    expect(await residents.makeRoom(server.api, 'wanted', never)).toBe(1);
    expect(residents.list().map(({ name }) => name)).toEqual(['recent']);
  });
});

describe('a stuck process', () => {
  /** A server (10), ours unless it is not `managed`, with two model processes; `frees` is the one that exits when the model is unloaded. */
  function stalled(frees: number | null, obeys: NodeJS.Signals[] = ['SIGKILL'], managed = true) {
    const clock = new FakeClock();
    const table = new FakeProcessTable().add(10, 'server');
    for (const pid of [11, 12]) {
      table.add(pid, `t${pid}`, 10, obeys);
      Object.assign(table.running.get(pid) ?? {}, { parent: 10, cpuMs: 500 });
    }
    const server = new ScriptedOllama();
    server.loaded = [{ name: 'm' }];
    const unloaded = server.api.unload.bind(server.api);
    server.api.unload = async (model, signal) => {
      await unloaded(model, signal);
      if (frees !== null) table.running.delete(frees);
    };
    const told: string[] = [];
    const residents = new Residents(clock, () => null);
    residents.changed(managed);
    const care = new RunnerCare({
      clock,
      runners: new Runners(table, clock, () => 10),
      residents,
      catalogue: new Catalogue('ollama'),
      api: () => server.api,
      managed: () => managed,
      busy: () => false,
      restartServer: async () => void told.push('server restarted'),
      observer: { ...UNOBSERVED, onMoment: (_backend, { type }) => void told.push(type) },
      onDrain: () => told.push(`draining ${care.draining}`),
      logger: silentLogger,
    });
    return { clock, table, server, residents, care, told, living: () => [...table.running.keys()] };
  }

  test('is ended by unloading its model, and nothing else is touched', async () => {
    const { care, living, told } = stalled(12);
    expect(await care.cureStall('m', false)).toEqual({ cured: true, processEnded: true });
    expect(living()).toEqual([10, 11]);
    expect(told).toEqual(['stalled', 'ready']);
  });

  test.each([10, 11])(
    'because somebody has paused it (%i) is not what it was asked to do',
    async (paused) => {
      const { table, care } = stalled(12);
      Object.assign(table.running.get(paused) ?? {}, { suspended: true });
      expect(await care.cureStall('m', false)).toEqual({ cured: true, processEnded: false });
    },
  );

  test('of an external server is ended by unloading a model of ours, and never killed', async () => {
    const loadedByUs = async (frees: number | null) => {
      const scene = stalled(frees, ['SIGKILL'], false);
      scene.server.loaded = [];
      await scene.residents.refresh(scene.server.api, never);
      scene.residents.begin('m');
      scene.server.loaded = [{ name: 'm' }];
      return scene;
    };
    const { care, living, told } = await loadedByUs(12);
    expect(await care.cureStall('m', false)).toEqual({ cured: true, processEnded: true });
    expect(living()).toEqual([10, 11]);
    const survives = await loadedByUs(null);
    const cure = survives.care.cureStall('m', false);
    await survives.clock.advance(4000);
    expect(await cure).toEqual({ cured: false, processEnded: false });
    expect(survives.living()).toEqual([10, 11, 12]);
    expect([...told, ...survives.told]).toEqual(['stalled', 'ready']);
  });

  test('of an external server with a model that others loaded is left alone', async () => {
    const { residents, server, care, living } = stalled(12, ['SIGKILL'], false);
    await residents.refresh(server.api, never);
    expect(await care.cureStall('m', true)).toEqual({ cured: false, processEnded: false });
    expect(living()).toEqual([10, 11, 12]);
  });

  test('cannot be observed on an external server without a model process', async () => {
    const { table, care } = stalled(12, ['SIGKILL'], false);
    expect(await care.pulse()).toHaveLength(2);
    for (const pid of [11, 12]) table.running.delete(pid);
    expect(await care.pulse()).toBeNull();
  });

  test('that survives it is killed by pid and start time, but not one that computes', async () => {
    const { clock, table, care, living, told } = stalled(null);
    const cure = care.cureStall('m', false);
    await settle();
    Object.assign(table.running.get(11) ?? {}, { cpuMs: 900 });
    await clock.advance(4000);
    await cure;
    expect(living()).toEqual([10, 11]);
    expect(told).toEqual(['stalled', 'ready']);
  });

  test('that survives even that, or stalls again, costs the server', async () => {
    const { clock, care, told } = stalled(null, []);
    const cure = care.cureStall('m', false);
    await clock.advance(8000);
    await cure;
    expect(told).toEqual(['server restarted']);
    const again = stalled(12);
    await again.care.cureStall('m', true);
    expect(again.told).toEqual(['server restarted']);
    expect(again.living()).toEqual([10, 11, 12]);
  });

  test('a cancelled prompt drains until the CPUs are idle, for a minute at most', async () => {
    const { clock, table, care, told } = stalled(null);
    const burn = clock.every(100, () => {
      const runner = table.running.get(11);
      if (runner) runner.cpuMs = (runner.cpuMs ?? 0) + 95;
    });
    care.promptCancelled();
    let drained = false;
    void care.drained().then(() => {
      drained = true;
    });
    await clock.advance(5000);
    expect([care.draining, drained]).toEqual([1, false]);
    burn();
    await clock.advance(1000);
    expect([care.draining, drained]).toEqual([0, true]);
    clock.every(100, () => {
      const runner = table.running.get(11);
      if (runner) runner.cpuMs = (runner.cpuMs ?? 0) + 95;
    });
    care.promptCancelled();
    await clock.advance(59_000);
    expect(care.draining).toBe(1);
    await clock.advance(2000);
    expect(told).toEqual(['draining 1', 'draining 0', 'draining 1', 'draining 0']);
  });
});

test('no record of finished cancelled prompts is kept', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const care = new RunnerCare({
    runners: { idle: async () => {} },
    managed: () => true,
    onDrain: () => {},
  } as never);
  const bytesAfter = async (prompts: number) => {
    for (let prompt = 0; prompt < prompts; prompt += 1) care.promptCancelled();
    await care.drained();
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await bytesAfter(10_000);
  expect((await bytesAfter(100_000)) - before).toBeLessThan(1_000_000);
});

describe('a server of ours', () => {
  function asked(managed = true) {
    const clock = new FakeClock();
    const server = new ScriptedOllama();
    server.facts = { version: '0.24.0' };
    const state = { api: server.api as OllamaApi | null, restarts: 0 };
    const residents = new Residents(clock, () => null);
    const care = new RunnerCare({
      clock,
      runners: new Runners(new FakeProcessTable(), clock, () => null),
      residents,
      catalogue: new Catalogue('ollama'),
      api: () => state.api,
      managed: () => managed,
      busy: () => false,
      restartServer: async () => {
        state.restarts += 1;
        state.api = null;
      },
      onDrain: () => {},
      logger: silentLogger,
    });
    return { clock, server, state, care };
  }

  test('that is silent twice for 5 s is restarted, once for all callers that notice', async () => {
    const { clock, server, state, care } = asked();
    server.silent = ['/api/version'];
    const found = Promise.all([care.restartSilent(false), care.restartSilent(false)]);
    await clock.advance(9000);
    expect(state.restarts).toBe(0);
    await clock.advance(2000);
    expect(await found).toEqual([true, true]);
    expect(state.restarts).toBe(1);
  });

  test('that answers, at the first or second check, stays', async () => {
    const { clock, server, state, care } = asked();
    expect(await care.restartSilent(false)).toBe(false);
    server.silent = ['/api/version'];
    const found = care.restartSilent(false);
    await clock.advance(3000);
    server.silent = [];
    await clock.advance(3000);
    expect(await found).toBe(false);
    expect(state.restarts).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('whose scheduler hangs while it reports its version is detected when a cure did not help', async () => {
    const { clock, server, state, care } = asked();
    server.silent = ['/api/ps'];
    expect(await care.restartSilent(false)).toBe(false);
    const found = care.restartSilent(true);
    await clock.advance(11_000);
    expect(await found).toBe(true);
    expect(state.restarts).toBe(1);
  });

  test('but never a foreign one', async () => {
    const { server, state, care } = asked(false);
    server.silent = ['/api/version', '/api/ps'];
    expect(await care.restartSilent(true)).toBe(false);
    expect(state.restarts).toBe(0);
  });

  test('that does not report its loaded models delays no caller that needs memory', async () => {
    const { clock, server, care } = asked();
    server.silent = ['/api/ps'];
    const room = expect(care.makeRoom('m', never)).rejects.toMatchObject({ code: 'cancelled' });
    const loaded = expect(care.isLoaded('m')).rejects.toMatchObject({ code: 'cancelled' });
    await clock.advance(16_000);
    await Promise.all([room, loaded]);
  });

  test('reports whether a model is in memory', async () => {
    const { server, care } = asked();
    expect(await care.isLoaded('m')).toBe(false);
    server.loaded = [{ name: 'm:latest' }];
    expect(await care.isLoaded('m')).toBe(true);
  });
});
