import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Catalogue } from '../../../src/main/backends/ollama/catalogue';
import type { OllamaApi } from '../../../src/main/backends/ollama/ollama-api';
import { BodyBudget } from '../../../src/main/gateway/body-budget';
import { createGateway } from '../../../src/main/gateway/server';
import { ROUTER_GATEWAY } from '../../../src/main/gateway/surface';
import { systemClock } from '../../../src/main/ports/clock';
import { silentLogger } from '../../../src/main/ports/logger';
import {
  backendStatus,
  FixedFacts,
  memoryStatus,
  modelInfo,
  queueStats,
  type Running,
  rawRequest,
  startGateway,
} from '../../support/gateway-fixture';
import { ScriptedDispatcher } from '../../support/scripted-dispatcher';

let running: Running;
beforeEach(async () => {
  running = await startGateway(new ScriptedDispatcher());
});
afterEach(() => running.gateway.close());

const get = async (path: string) =>
  (await fetch(`${running.url}${path}`)).json() as Promise<Record<string, unknown>>;

describe('/health', () => {
  it('has the field names that scripts rely on', async () => {
    running.facts.queueNow = queueStats({ depth: 2, running: 1 });
    expect(await get('/health')).toMatchObject({
      status: 'healthy',
      version: '0.1.0',
      instance: 'instance-1',
      backends: {
        mlx: { state: 'ready', model: 'starter', restarts: 0, pid: 4242, url: 'http://127.0.0.1:9' },
        ollama: { state: 'ready' },
      },
      models: [
        {
          backend: 'mlx',
          name: 'org/phi',
          size_bytes: 2_000_000,
          context_length: 4096,
          use_count: 2,
          last_used_at: '2026-01-01T00:00:00.000Z',
          load_ms: 120,
        },
        { backend: 'ollama', name: 'qwen2.5:3b' },
      ],
      active_requests: 1,
      memory: {
        used_percent: 50,
        warning_percent: 85,
        critical_percent: 95,
        pressure: 'normal',
        // The servers' own figures, which are newer than the sample.
        mlx_bytes: 1_000,
        ollama_bytes: 1_000,
        total_bytes: 64e9,
      },
      queue: { depth: 2, running: 1 },
      rate_limit: { max: 150, window_s: 90, clients: 1 },
      warnings: [],
    });
  });

  it.each([
    [
      'a dead MLX',
      'degraded',
      (facts: FixedFacts) => (facts.backendList = [backendStatus('mlx', { state: 'open' })]),
    ],
    [
      'full memory',
      'critical',
      (facts: FixedFacts) => (facts.memoryNow = memoryStatus({ pressure: 'critical' })),
    ],
    [
      'tight memory',
      'warning',
      (facts: FixedFacts) => (facts.memoryNow = memoryStatus({ pressure: 'warning' })),
    ],
    ['a warning', 'warning', (facts: FixedFacts) => (facts.warningList = [{ code: 'x', message: 'y' }])],
    ['no sample yet', 'healthy', (facts: FixedFacts) => (facts.memoryNow = null)],
  ])('with %s is %s', async (_what, status, change) => {
    change(running.facts);
    expect((await get('/health')).status).toBe(status);
  });
});

describe('listings', () => {
  it('list every model, and both owners of a shared name', async () => {
    running.facts.modelList = [
      modelInfo('mlx', 'shared'),
      modelInfo('ollama', 'shared'),
      modelInfo('ollama', 'own:1b'),
    ];
    const { models } = (await get('/api/tags')) as { models: { name: string; details: object }[] };
    expect(models.map(({ name }) => name)).toEqual([
      'auto',
      'shared',
      'mlx/shared',
      'ollama/shared',
      'own:1b',
    ]);
    expect(models.at(-1)?.details).toMatchObject({ parameter_size: '3.0B', quantization_level: 'Q4_K_M' });
  });

  it('report the small model and its languages', async () => {
    running.facts.modelList = [modelInfo('ollama', 'tiny', { small: true, languages: ['en'] })];
    const { models } = (await get('/api/tags')) as { models: { tandem: object }[] };
    expect(models.at(-1)?.tandem).toMatchObject({ small: true, languages: ['en'] });
    const shown = await fetch(`${running.url}/api/show`, { method: 'POST', body: '{"model":"tiny"}' });
    expect(await shown.json()).toMatchObject({ tandem: { small: true, languages: ['en'] } });
  });

  it('are empty without models', async () => {
    running.facts.modelList = [];
    expect(await get('/api/tags')).toEqual({ models: [] });
  });

  it('list what is loaded', async () => {
    running.facts.backendList = [
      backendStatus('mlx', { model: 'org/phi' }),
      backendStatus('ollama', { state: 'open' }),
    ];
    const { models } = (await get('/api/ps')) as { models: { name: string }[] };
    expect(models.map(({ name }) => name)).toEqual(['org/phi']);
  });

  it('report the pinned context instead of what the model supports', async () => {
    const pinned = { contextLength: 131_072, pinnedContext: 16_384 };
    running.facts.modelList = [modelInfo('ollama', 'qwen2.5:3b', pinned)];
    const show = await fetch(`${running.url}/api/show`, { method: 'POST', body: '{"model":"qwen2.5:3b"}' });
    expect(await show.json()).toMatchObject({ model_info: { 'general.context_length': 16_384 } });
    expect(await get('/api/ps')).toMatchObject({ models: [{}, { context_length: 16_384 }] });
    expect(await get('/api/tags')).toMatchObject({ models: [{}, { tandem: { context_length: 16_384 } }] });
    expect(await get('/health')).toMatchObject({ models: [{ context_length: 16_384 }] });
  });

  it('show a model by its name', async () => {
    const answer = await fetch(`${running.url}/api/show`, {
      method: 'POST',
      body: '{"model":"ollama/qwen2.5:3b"}',
    });
    expect(await answer.json()).toMatchObject({
      capabilities: ['completion'],
      model_info: { 'general.context_length': 4096 },
      parameters: expect.stringMatching(/^num_ctx +4096$/),
    });
  });

  it('answer like an Ollama server', async () => {
    const root = await rawRequest(running.port, '/', { Host: `localhost:${running.port}` });
    expect(root.body).toBe('Ollama is running');
    const head = await rawRequest(running.port, '/', { Host: `localhost:${running.port}` }, 'HEAD');
    expect(head.status).toBe(200);
    expect(await get('/api/version')).toEqual({ version: '0.1.0' });
    expect(await get('/queue/stats')).toEqual(queueStats());
  });
});

describe('listening', () => {
  const gateway = () =>
    createGateway({
      surface: ROUTER_GATEWAY,
      dispatcher: new ScriptedDispatcher(),
      facts: new FixedFacts(),
      settings: () => ({ mlxOnlyLight: true, useBackends: 'both' }),
      uiOrigins: () => [],
      allowedHosts: [],
      allowedOrigins: [],
      bodies: new BodyBudget(),
      clock: systemClock,
      logger: silentLogger,
    });

  it('names the program that uses a taken port', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as AddressInfo;
    const refused = gateway().listen(port, '127.0.0.1');
    await expect(refused).rejects.toMatchObject({ code: 'port_taken', details: { port } });
    if (process.platform === 'linux') await expect(refused).rejects.toThrow(`process ${process.pid}`);
    await new Promise((resolve) => holder.close(resolve));
  });

  it('does not open to other machines', async () => {
    await expect(gateway().listen(0, '0.0.0.0')).rejects.toMatchObject({ code: 'environment_invalid' });
  });
});

describe('two Tandems that point at each other', () => {
  it("do not list each other's models in a loop", async () => {
    const tags = async (headers: Record<string, string>) => {
      const answer = await fetch(`${running.url}/api/tags`, { headers });
      const body = (await answer.json()) as { models: { name: string }[] };
      return body.models.map(({ name }) => name);
    };
    running.facts.modelList = [modelInfo('mlx', 'ours'), modelInfo('ollama', 'theirs', { relayed: true })];
    expect(await tags({})).toEqual(['auto', 'ours', 'theirs']);
    expect(await tags({ 'X-Tandem-Hop': 'the-other' })).toEqual(['auto', 'ours']);
  });

  it('do not list the virtual models of each other', async () => {
    const items = [
      { name: 'auto', digest: '', tandem: { backend: null } },
      { name: 'a', digest: '', tandem: { backend: 'mlx' } },
      { name: 'b', digest: '', tandem: { backend: 'ollama' } },
    ];
    const api = {
      tags: async () => items,
      show: async (name: string) => ({ capabilities: [name] }),
    } as unknown as OllamaApi;
    const listed = await new Catalogue('ollama').list(api, new AbortController().signal);
    expect(listed).toMatchObject([
      { name: 'a', relayed: true, capabilities: ['a'] },
      { name: 'b', relayed: true, capabilities: ['b'] },
    ]);
  });
});
