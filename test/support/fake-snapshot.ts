import type { Answer, AnswerMeta } from '../../src/shared/chat';
import type { Snapshot } from '../../src/shared/contract';
import { SMALL_MODEL_NAME } from '../../src/shared/domain';
import { emptyMeta } from '../../src/shared/empty-meta';
import type { LifeEvent } from '../../src/shared/incidents';
import type { Download, FirstStart, ModelView, Suggestion } from '../../src/shared/models';
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

/** An installed model; of the heavy server and of middle weight, unless overridden. */
export function modelView(change: Partial<ModelView> & Pick<ModelView, 'name'>): ModelView {
  return {
    backend: 'ollama',
    sizeBytes: 5.2e9,
    billions: 8.2,
    quantisation: 'Q4_K_M',
    weight: 'middle',
    small: false,
    languages: null,
    remote: false,
    fit: 'yes',
    contextLength: 32_768,
    pinnedContext: 16_384,
    contextChosen: false,
    bytesPerToken: 144 * 1024,
    capabilities: ['completion', 'tools'],
    usedFor: [],
    load: 'none',
    loadMs: null,
    tokensPerSecond: null,
    lastUsedAt: null,
    owner: 'ollama',
    hasFolder: false,
    broken: null,
    ...change,
  };
}

/** A model of the catalogue. */
export function suggestion(change: Partial<Suggestion> & Pick<Suggestion, 'name' | 'title'>): Suggestion {
  return {
    backend: 'ollama',
    purpose: 'coding',
    sizeBytes: 20e9,
    billions: 32.8,
    contextLength: 131_072,
    languages: [],
    capabilities: ['completion', 'tools'],
    licence: 'Apache-2.0',
    verified: true,
    fit: 'yes',
    installed: false,
    ...change,
  };
}

export const LIGHT_CHOICE = suggestion({
  backend: 'mlx',
  name: 'mlx-community/Qwen3-4B-4bit',
  title: 'Qwen3 4B',
  purpose: 'light',
  sizeBytes: 2.3e9,
  billions: 4,
});
export const HEAVY_CHOICE = suggestion({ name: 'qwen2.5-coder:32b', title: 'Qwen2.5-Coder 32B' });
const SMALLER_CHOICE = suggestion({
  name: 'qwen3:8b',
  title: 'Qwen3 8B',
  purpose: 'general',
  sizeBytes: 5.2e9,
  billions: 8.2,
  contextLength: 40_960,
});

/** A Mac with room for the pair; done, unless overridden. */
export function fakeFirstStart(change: Partial<FirstStart> = {}): FirstStart {
  return {
    done: true,
    machine: { chip: 'Apple M4 Max', totalBytes: 96 * GIB, gpuBytes: 72 * GIB, diskFreeBytes: 412e9 },
    found: [],
    pair: { light: LIGHT_CHOICE, heavy: HEAVY_CHOICE, downloadBytes: 22.3e9, memoryBytes: 29 * GIB },
    smallerPair: { light: LIGHT_CHOICE, heavy: SMALLER_CHOICE, downloadBytes: 7.5e9, memoryBytes: 11 * GIB },
    suggestions: [
      LIGHT_CHOICE,
      SMALLER_CHOICE,
      HEAVY_CHOICE,
      suggestion({
        name: 'llama3.3:70b',
        title: 'Llama 3.3 70B',
        verified: false,
        purpose: 'reasoning',
        sizeBytes: 43e9,
        billions: 70.6,
        licence: 'Llama 3.3',
        languages: ['en', 'de', 'fr', 'es', 'it', 'pt', 'hi', 'th'],
        fit: 'tight',
      }),
    ],
    ...change,
  };
}

/** A download that is half-way through its 20 GB, of the heavy one of the pair unless overridden. */
export function fakeDownload(change: Partial<Download> = {}): Download {
  return {
    backend: 'ollama',
    name: HEAVY_CHOICE.name,
    state: 'running',
    step: 'pulling',
    completedBytes: 7.6e9,
    totalBytes: 20e9,
    bytesPerSecond: 52e6,
    error: null,
    ...change,
  };
}

/** A healthy machine with capable models; `change` overrides parts. */
export function fakeSnapshot(change: Partial<Snapshot> = {}): Snapshot {
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
      modelView({
        backend: 'mlx',
        name: 'mlx-community/Phi-3.5-mini-instruct-4bit',
        ...{ sizeBytes: 2.2e9, billions: 3.8, quantisation: '4bit', weight: 'light' },
        ...{ contextLength: 131_072, pinnedContext: 32_768, bytesPerToken: 384 * 1024 },
        ...{ capabilities: ['completion'], usedFor: ['greeting', 'fast'], load: 'loaded' },
        ...{ loadMs: 11_200, tokensPerSecond: 84.3, lastUsedAt: Date.now() - 240_000 },
        ...{ owner: 'huggingface', hasFolder: true },
      }),
      modelView({
        name: 'qwen2.5-coder:32b',
        ...{ sizeBytes: 20e9, billions: 32.8, weight: 'heavy', bytesPerToken: 256 * 1024 },
        ...{ usedFor: ['coding', 'general'], load: 'loaded', loadMs: 18_400, tokensPerSecond: 24.1 },
        lastUsedAt: Date.now() - 3_000,
      }),
      modelView({
        name: 'llama3.3:70b',
        ...{ sizeBytes: 43e9, billions: 70.6, weight: 'heavy', fit: 'tight' },
        ...{ contextLength: 131_072, pinnedContext: 16_384, bytesPerToken: 320 * 1024 },
        usedFor: ['reasoning'],
      }),
    ],
    capable: true,
    firstStart: fakeFirstStart(),
    downloads: [],
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
    models: (['mlx', 'ollama'] as const).map((backend) =>
      modelView({
        backend,
        name: SMALL_MODEL_NAME,
        ...{ sizeBytes: 98.4e6, billions: 0.135, quantisation: null, weight: 'light', small: true },
        ...{ languages: ['en'], contextLength: 8192, pinnedContext: 8192, bytesPerToken: 23 * 1024 },
        ...{ capabilities: ['completion'], owner: 'tandem' },
      }),
    ),
    capable: false,
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
