import type { Answer, AnswerMeta } from '../../src/shared/chat';
import type { Snapshot } from '../../src/shared/contract';
import { SMALL_MODEL_NAME } from '../../src/shared/domain';
import { emptyMeta } from '../../src/shared/empty-meta';
import type { LifeEvent } from '../../src/shared/incidents';
import { defaultSettings, SETTING_KEYS, SETTINGS, type SettingsView } from '../../src/shared/settings';
import type { BackendStatus, Ledger, LedgerEntry, MemoryStatus, ModelTimes } from '../../src/shared/status';
import { INSTANCES } from './backends';

const GIB = 1024 ** 3;

export function backendStatus(id: BackendStatus['id'], change: Partial<BackendStatus> = {}): BackendStatus {
  return {
    id,
    state: id === 'mlx' ? 'ready' : 'adopted',
    stage: 'idle',
    model: id === 'mlx' ? 'mlx-community/Phi-3.5-mini-instruct-4bit' : 'qwen2.5-coder:32b',
    version: id === 'mlx' ? '0.29.1' : '0.12.6',
    pid: 4242,
    url: `http://127.0.0.1:${id === 'mlx' ? 41435 : 11434}`,
    ownership: id === 'mlx' ? 'managed' : 'adopted',
    readySince: Date.now() - (3 * 60 + 12) * 60_000,
    restarts: id === 'mlx' ? 1 : 0,
    maxRestarts: 10,
    nextStartAt: null,
    lastError: null,
    memoryBytes: id === 'mlx' ? 3.8 * GIB : 20.6 * GIB,
    activeRequests: 0,
    draining: 0,
    absence: null,
    breaker: { state: 'closed', nextTryAt: null },
    ladder: null,
    hangLimits: null,
    ...change,
  };
}

export function memoryStatus(change: Partial<MemoryStatus> = {}): MemoryStatus {
  return {
    totalBytes: 96 * GIB,
    usedBytes: 54.7 * GIB,
    usedPercent: 57,
    pressure: 'normal',
    warningPercent: 85,
    criticalPercent: 95,
    backendBytes: { mlx: 3.8 * GIB, ollama: 20.6 * GIB },
    source: 'vm_stat',
    at: Date.now(),
    ...change,
  };
}

/** An event in MLX's life, `minutesAgo` before now. */
export function lifeEvent(
  type: LifeEvent['type'],
  minutesAgo: number,
  change: Partial<LifeEvent> = {},
): LifeEvent {
  const at = Date.now() - minutesAgo * 60_000;
  return { backend: 'mlx', at, type, cause: null, facts: {}, incident: null, ...change };
}

/** MLX ran out of memory an hour ago and restarted smaller; Ollama was adopted. */
export function fakeLife(): LifeEvent[] {
  const death = { cause: 'out_of_memory' as const, incident: 'incident-1', facts: { seconds: 94 } };
  return [
    lifeEvent('adopted', 193, { backend: 'ollama' }),
    lifeEvent('started', 192.4),
    lifeEvent('ready', 192, { facts: { seconds: 11 } }),
    lifeEvent('died', 61, death),
    lifeEvent('waiting_for_memory', 60.9, { facts: { bytes: 5.2 * GIB } }),
    lifeEvent('rung', 60.2, { facts: { rung: 1, kind: 'prompt_cache' } }),
    lifeEvent('started', 60.1),
    lifeEvent('ready', 59.8, { facts: { seconds: 14 } }),
  ];
}

export function ledgerEntry(change: Partial<LedgerEntry> & Pick<LedgerEntry, 'kind' | 'bytes'>): LedgerEntry {
  return { backend: 'mlx', name: null, source: 'launcher', at: Date.now() - 2_000, ...change };
}

/** Both servers on the machine of `memoryStatus()`, with a pending load. */
export function fakeLedger(change: Partial<Ledger> = {}): Ledger {
  const ollama = { backend: 'ollama' as const, source: 'api/ps', at: Date.now() - 4_000 };
  return {
    totalBytes: 96 * GIB,
    usedBytes: 54.7 * GIB,
    workingSetBytes: 72 * GIB,
    warningBytes: 81.6 * GIB,
    criticalBytes: 91.2 * GIB,
    pressure: 'normal',
    entries: [
      ledgerEntry({ kind: 'process', bytes: 3.8 * GIB, source: 'footprint' }),
      ledgerEntry({ kind: 'weights', bytes: 2.2 * GIB }),
      ledgerEntry({ kind: 'kv_cache', bytes: 0.9 * GIB }),
      ledgerEntry({ kind: 'buffers', bytes: 0.4 * GIB }),
      ledgerEntry({ ...ollama, kind: 'process', bytes: 20.6 * GIB, source: 'footprint' }),
      ledgerEntry({ ...ollama, kind: 'weights', bytes: 19.1 * GIB, name: 'qwen2.5-coder:32b' }),
      ledgerEntry({ ...ollama, kind: 'kv_cache', bytes: null }),
      ledgerEntry({ ...ollama, kind: 'promised', bytes: 6.1 * GIB, name: 'qwen2.5:7b', source: 'estimate' }),
    ],
    lastDecision: null,
    ...change,
  };
}

export function fakeTimes(): ModelTimes[] {
  const measured = { source: 'measured' as const };
  return [
    {
      backend: 'mlx',
      name: 'mlx-community/Phi-3.5-mini-instruct-4bit',
      loadS: 11.2,
      per1kS: 11.9,
      samples: 46,
      ...measured,
    },
    { backend: 'ollama', name: 'qwen2.5-coder:32b', loadS: 18.4, per1kS: 41.5, samples: 12, ...measured },
    { backend: 'ollama', name: 'llama3.3:70b', loadS: 120, per1kS: 120, samples: 0, source: 'table' },
    { backend: 'ollama', name: 'my-finetune:latest', loadS: null, per1kS: 40, samples: 0, source: 'size' },
  ];
}

export function settingsView(values: Partial<Record<keyof SettingsView, unknown>> = {}): SettingsView {
  const defaults = defaultSettings();
  return Object.fromEntries(
    SETTING_KEYS.map((key) => [
      key,
      {
        value: key in values ? values[key] : defaults[key],
        source: key in values ? ('file' as const) : ('default' as const),
        env: SETTINGS[key].env,
        acts: SETTINGS[key].acts,
        pendingRestart: false,
      },
    ]),
  ) as SettingsView;
}

export function emptyQueue(): Snapshot['queue'] {
  return {
    stats: {
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
    },
    entries: [],
  };
}

/** A healthy machine with capable models; `change` overrides parts. */
export function fakeSnapshot(change: Partial<Snapshot> = {}): Snapshot {
  const model = (backend: 'mlx' | 'ollama', name: string, gigabytes: number, billions: number) => ({
    backend,
    name,
    sizeBytes: gigabytes * 1e9,
    billions,
    quantisation: 'Q4_K_M',
    weight: billions <= 4 ? ('light' as const) : billions >= 32 ? ('heavy' as const) : ('middle' as const),
    small: false,
    languages: null,
    remote: false,
    fit: gigabytes < 30 ? ('yes' as const) : ('tight' as const),
    contextLength: 32_768,
    pinnedContext: 32_768,
    capabilities: ['completion'],
    broken: null,
  });
  return {
    app: {
      version: '0.1.0',
      host: 'headless',
      platform: 'linux',
      locale: 'en-US',
      gatewayUrl: 'http://127.0.0.1:11436',
      mlxApiUrl: 'http://127.0.0.1:11435',
      dataDir: '/Users/anna/Library/Application Support/Tandem',
    },
    instances: INSTANCES,
    backends: [backendStatus('mlx'), backendStatus('ollama')],
    memory: memoryStatus(),
    ledger: null,
    queue: emptyQueue(),
    life: [],
    times: [],
    models: [
      model('mlx', 'mlx-community/Phi-3.5-mini-instruct-4bit', 2.2, 3.8),
      model('ollama', 'qwen2.5-coder:32b', 20, 32),
      model('ollama', 'llama3.3:70b', 43, 70),
    ],
    capable: true,
    suggestions: [],
    pulls: [],
    setup: [],
    settings: settingsView(),
    chats: [],
    warnings: [],
    ...change,
  };
}

/** The state of a machine with only the small model. */
export function smallSnapshot(change: Partial<Snapshot> = {}): Snapshot {
  const snapshot = fakeSnapshot();
  return {
    ...snapshot,
    backends: [
      backendStatus('mlx', { model: SMALL_MODEL_NAME, memoryBytes: 0.3 * GIB, restarts: 0 }),
      backendStatus('ollama', { model: null, memoryBytes: 0.1 * GIB }),
    ],
    memory: memoryStatus({
      usedPercent: 31,
      usedBytes: 29.8 * GIB,
      backendBytes: { mlx: 0.3 * GIB, ollama: 0.1 * GIB },
    }),
    models: (['mlx', 'ollama'] as const).map((backend) => ({
      backend,
      name: SMALL_MODEL_NAME,
      sizeBytes: 98.4e6,
      billions: 0.135,
      quantisation: null,
      weight: 'light' as const,
      small: true,
      languages: ['en'],
      remote: false,
      fit: 'yes' as const,
      contextLength: 8192,
      pinnedContext: 8192,
      capabilities: ['completion'],
      broken: null,
    })),
    capable: false,
    suggestions: [
      { name: 'qwen2.5-coder:32b', title: 'Qwen2.5-Coder 32B', purpose: 'code', sizeBytes: 20e9, fit: 'yes' },
      { name: 'phi3.5:3.8b', title: 'Phi-3.5 mini', purpose: 'light', sizeBytes: 2.2e9, fit: 'yes' },
      { name: 'llama3.3:70b', title: 'Llama 3.3 70B', purpose: 'reasoning', sizeBytes: 43e9, fit: 'tight' },
    ],
    ...change,
  };
}

export function answerMeta(change: Partial<AnswerMeta> = {}): AnswerMeta {
  return { ...emptyMeta(), ...change };
}

export function fakeAnswer(change: Partial<Answer> & Pick<Answer, 'id' | 'replyTo'>): Answer {
  return {
    role: 'assistant',
    chatId: 'chat-1',
    text: '',
    status: 'done',
    meta: emptyMeta(),
    at: Date.now(),
    ...change,
  };
}
