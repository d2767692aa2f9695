import { request as httpRequest } from 'node:http';
import { initialStatus } from '../../src/main/backends/status-board';
import type { Dispatcher } from '../../src/main/dispatch/types';
import { BodyBudget } from '../../src/main/gateway/body-budget';
import type { GatewayFacts } from '../../src/main/gateway/facts';
import type { LargeBody } from '../../src/main/gateway/request-body';
import { createGateway, type Gateway } from '../../src/main/gateway/server';
import { ROUTER_GATEWAY, type Surface } from '../../src/main/gateway/surface';
import { withName } from '../../src/main/models/model-names';
import { type Clock, systemClock } from '../../src/main/ports/clock';
import { silentLogger } from '../../src/main/ports/logger';
import type { Warning } from '../../src/shared/contract';
import type { BackendId, ModelInfo } from '../../src/shared/domain';
import type { BackendStatus, MemoryStatus, QueueStats } from '../../src/shared/status';
import { INSTANCES } from './backends';

export function backendStatus(id: BackendId, changes: Partial<BackendStatus> = {}): BackendStatus {
  return {
    ...initialStatus(id, 5),
    state: 'ready',
    model: 'starter',
    version: '1.0.0',
    pid: 4242,
    url: 'http://127.0.0.1:9',
    ownership: 'managed',
    readySince: 0,
    memoryBytes: 1_000,
    ...changes,
  };
}

export function modelInfo(backend: BackendId, name: string, changes: Partial<ModelInfo> = {}): ModelInfo {
  return {
    backend,
    name,
    sizeBytes: 2_000_000,
    billions: 3,
    quantisation: 'Q4_K_M',
    contextLength: 4_096,
    weight: 'light',
    small: false,
    languages: null,
    remote: false,
    capabilities: ['completion'],
    modifiedAt: '2026-01-01T00:00:00.000Z',
    ...changes,
  };
}

export function queueStats(changes: Partial<QueueStats> = {}): QueueStats {
  return {
    depth: 0,
    running: 0,
    replaying: 0,
    by_priority: { high: 0, medium: 0, low: 0 },
    by_backend: {},
    oldest_wait_ms: 0,
    received: 0,
    accepted: 0,
    done: 0,
    failed: 0,
    cancelled: 0,
    rejected: 0,
    ...changes,
  };
}

export function memoryStatus(changes: Partial<MemoryStatus> = {}): MemoryStatus {
  return {
    totalBytes: 64e9,
    usedBytes: 32e9,
    usedPercent: 50,
    pressure: 'normal',
    warningPercent: 85,
    criticalPercent: 95,
    backendBytes: { mlx: 1e9, ollama: 2e9 },
    source: 'proc',
    at: 0,
    ...changes,
  };
}

/** Facts that a test changes in place. */
export class FixedFacts implements GatewayFacts {
  version = '0.1.0';
  instanceId = 'instance-1';
  backendList: BackendStatus[] = [backendStatus('mlx'), backendStatus('ollama', { model: 'qwen2.5:3b' })];
  modelList: ModelInfo[] = [modelInfo('mlx', 'org/phi'), modelInfo('ollama', 'qwen2.5:3b')];
  memoryNow: MemoryStatus | null = memoryStatus();
  queueNow: QueueStats = queueStats();
  warningList: Warning[] = [];

  instances = () => INSTANCES;
  backends = () => this.backendList;
  models = () => this.modelList;
  named = (name: string) => withName(this.modelList, name);
  memory = () => this.memoryNow;
  queue = () => this.queueNow;
  rateLimit = () => ({ max: 150, windowS: 90, clients: 1 });
  warnings = () => this.warningList;
  modelUse = () => ({ useCount: 2, lastUsedAt: Date.UTC(2026, 0, 1), loadMs: 120 });
}

export interface Running {
  gateway: Gateway;
  facts: FixedFacts;
  port: number;
  url: string;
}

/** A gateway on a free loopback port. */
export async function startGateway(
  dispatcher: Dispatcher,
  options: { surface?: Surface; mlxOnlyLight?: boolean; clock?: Clock; largeBody?: LargeBody } = {},
): Promise<Running> {
  const facts = new FixedFacts();
  const gateway = createGateway({
    surface: options.surface ?? ROUTER_GATEWAY,
    dispatcher,
    facts,
    settings: () => ({ mlxOnlyLight: options.mlxOnlyLight ?? true, useBackends: 'both' }),
    uiOrigins: () => ['http://127.0.0.1:11437'],
    allowedHosts: ['llm.example'],
    allowedOrigins: ['https://chat.example'],
    bodies: new BodyBudget(),
    ...(options.largeBody ? { largeBody: options.largeBody } : {}),
    clock: options.clock ?? systemClock,
    logger: silentLogger,
  });
  const { port, url } = await gateway.listen(0, '127.0.0.1');
  return { gateway, facts, port, url };
}

export interface RawAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** One request with headers that `fetch` does not allow, such as `Host`. */
export function rawRequest(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  body = '',
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part) => {
        text += part;
      });
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
      );
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

export function postJson(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** The JSON lines of a body. */
export function lines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
