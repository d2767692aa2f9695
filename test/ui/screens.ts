import type { Page } from 'playwright-core';
import type { View } from '../../src/renderer/stores/ui-store';
import type { Answer, Message } from '../../src/shared/chat';
import type { Snapshot } from '../../src/shared/contract';
import { SMALL_MODEL_NAME } from '../../src/shared/domain';
import { FakeCore } from '../support/fake-bridge';
import {
  answerMeta,
  backendStatus,
  emptyQueue,
  fakeAnswer,
  fakeDownload,
  fakeLedger,
  fakeLife,
  fakeSnapshot,
  fakeTimes,
  lifeEvent,
  memoryStatus,
  settingsView,
  smallSnapshot,
} from '../support/fake-snapshot';
import { ANSWERS } from './answer-texts';

export type Language = 'en' | 'ru';

/** One picture: the state of the core, and the actions that lead to it. */
export interface Screen {
  name: string;
  core: (language: Language) => FakeCore;
  open?: Exclude<View, 'chat'>;
  /** A button to press by its name, per language. */
  press?: Record<Language, string>;
  /** Presses the last button of that name, not the first. */
  pressLast?: boolean;
  /** A part, by its test id, that is scrolled to the top of the window. */
  scrollTo?: string;
  /** Words to scroll to and click: a heading, or a part that opens. */
  show?: Record<Language, string>;
  /** Any further actions. */
  act?: (page: Page, language: Language) => Promise<void>;
}

const MIB = 1024 ** 2;
const GIB = 1024 * MIB;

export const WORDS = {
  en: {
    hello: 'hi! what can you do?',
    greeting:
      'I answer small things right here, and hand code, analysis and long texts to the heavy model. Ask away.',
    ask: 'Write a Python function that merges two sorted lists',
    intro:
      'Walk both lists with two indices and always take the **smaller head**. It is linear in the total length:',
    outro:
      'Each element is moved once, so the cost is `O(n + m)`. Two things to know:\n\n- The input lists are not changed.\n- Equal elements keep their order, `a` first.',
    plan: 'Plan the migration of our database to PostgreSQL 17 without downtime',
    half: 'The move has three stages. First, set up logical replication from the old server to the new one and let it',
    again:
      'The move has three stages:\n\n1. Replicate to the new server until it has caught up.\n2. Stop writes for a moment and switch.\n3. Keep the old server for a week.',
    title: 'Merging sorted lists',
  },
  ru: {
    hello: 'привет! что ты умеешь?',
    greeting:
      'На простое отвечаю прямо здесь, а код, анализ и длинные тексты передаю тяжёлой модели. Спрашивайте.',
    ask: 'Напиши на Python функцию, которая сливает два отсортированных списка',
    intro: 'Идём по обоим спискам двумя индексами и каждый раз берём **меньший элемент**. Время линейное:',
    outro:
      'Каждый элемент переносится один раз, поэтому сложность `O(n + m)`. Стоит знать:\n\n- Исходные списки не меняются.\n- Равные элементы сохраняют порядок, сначала из `a`.',
    plan: 'Составь план миграции базы на PostgreSQL 17 без простоя',
    half: 'Переезд состоит из трёх этапов. Сначала настройте логическую репликацию со старого сервера на новый и дайте ей',
    again:
      'Переезд состоит из трёх этапов:\n\n1. Реплицируйте данные, пока новый сервер не догонит старый.\n2. На мгновение остановите запись и переключитесь.\n3. Неделю держите старый сервер под рукой.',
    title: 'Слияние списков',
  },
};

const CODE = `\`\`\`python
def merge(a, b):
    out, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        if a[i] <= b[j]:
            out.append(a[i]); i += 1
        else:
            out.append(b[j]); j += 1
    return out + a[i:] + b[j:]
\`\`\``;

export const MLX = answerMeta({
  source: 'mlx',
  model: 'mlx-community/Phi-3.5-mini-instruct-4bit',
  category: 'greeting',
  reasons: ['rule:greeting'],
  ttftMs: 210,
  tokensPerSecond: 84.3,
  promptTokens: 24,
  completionTokens: 31,
});
export const OLLAMA = answerMeta({
  source: 'ollama',
  model: 'qwen2.5-coder:32b',
  category: 'coding',
  reasons: ['rule:code-request', 'setting:only-light'],
  ttftMs: 1_920,
  tokensPerSecond: 24.1,
  queueMs: 340,
  promptTokens: 61,
  completionTokens: 212,
});

export function user(id: string, text: string): Message {
  return { role: 'user', id, chatId: 'chat-1', text, at: Date.now() };
}

/** A core with three chats, the first of which has the messages. */
export function chat(
  language: Language,
  messages: Message[],
  change: Partial<Snapshot> = {},
  base = fakeSnapshot(),
): FakeCore {
  const core = new FakeCore({ ...base, ...change, settings: settingsView({ language }) });
  const words = WORDS[language];
  const hours = (n: number) => Date.now() - n * 3_600_000;
  core.addChat({ id: 'chat-1', title: words.title, preview: words.greeting }, messages);
  core.addChat({ id: 'chat-2', title: words.plan, preview: words.half, updatedAt: hours(26) });
  core.addChat({ id: 'chat-3', title: words.hello, preview: words.greeting, updatedAt: hours(80) });
  return core;
}

function streamingAnswer(replyTo: string, text: string, meta: Answer['meta']): Message {
  return fakeAnswer({ id: 'a2', replyTo, status: 'streaming', text, meta });
}

function talk(language: Language): Message[] {
  const words = WORDS[language];
  return [
    user('u1', words.hello),
    fakeAnswer({ id: 'a1', replyTo: 'u1', text: words.greeting, meta: MLX }),
    user('u2', words.ask),
    fakeAnswer({
      id: 'a2',
      replyTo: 'u2',
      text: `${words.intro}\n\n${CODE}\n\n${words.outro}`,
      meta: OLLAMA,
    }),
  ];
}

export const busy: Partial<Snapshot> = {
  backends: [backendStatus('mlx'), backendStatus('ollama', { activeRequests: 1 })],
};

const oom = {
  code: 'out_of_memory',
  message: 'MLX ran out of memory; it is started again when there is enough.',
  at: Date.now() - 40_000,
};

/** MLX cannot load its model, as in the previous run of Tandem; Ollama is about to restart. */
function bothDown(): Partial<Snapshot> {
  const cause = 'bad_model' as const;
  return {
    backends: [
      backendStatus('mlx', {
        state: 'open',
        restarts: 0,
        readySince: null,
        memoryBytes: null,
        breaker: { state: 'open', nextTryAt: null },
        lastError: { code: cause, message: 'The model could not be loaded.', at: Date.now() - 40_000 },
      }),
      backendStatus('ollama', { state: 'backoff', readySince: null, nextStartAt: Date.now() + 8_000 }),
    ],
    life: [
      lifeEvent('died', 310, { cause: 'out_of_memory', incident: 'incident-1' }),
      lifeEvent('died', 180, { cause, incident: 'incident-2' }),
      lifeEvent('started', 24),
      lifeEvent('died', 20, { cause, incident: 'incident-3' }),
      lifeEvent('breaker_open', 20, { cause }),
    ],
  };
}

export function queue(): Snapshot['queue'] {
  const entry = {
    priority: 'high' as const,
    position: null,
    etaMs: 12_000,
    waitedMs: 900,
    backend: 'ollama' as const,
    model: 'qwen2.5-coder:32b',
  };
  return {
    stats: { ...emptyQueue().stats, depth: 2, running: 1 },
    entries: [
      { ...entry, id: 'q1', client: 'ui', category: 'coding', state: 'running' },
      {
        ...entry,
        id: 'q2',
        client: 'Open WebUI',
        category: 'general',
        state: 'waiting',
        position: 1,
        etaMs: 41_000,
      },
      {
        ...entry,
        id: 'q3',
        client: 'curl',
        category: 'reasoning',
        state: 'waiting',
        position: 2,
        etaMs: 96_000,
      },
    ],
  };
}

/** MLX on the first rung of its ladder, with learned limits. */
export const smaller = backendStatus('mlx', {
  ladder: {
    rung: 1,
    rungs: 3,
    kind: 'prompt_cache',
    promptCacheBytes: 2 * GIB,
    contextTokens: null,
    prefillStepTokens: null,
    model: null,
    climbsAt: Date.now() + 22.6 * 3_600_000,
  },
  hangLimits: { silenceMs: 3_000, stepMs: 8_000, learned: true },
});

/** A queue that is longer than its list. */
function longQueue(): Snapshot['queue'] {
  const { stats, entries } = queue();
  const [, waiting] = entries;
  const more = Array.from({ length: 41 }, (_, index) => ({
    ...(waiting as (typeof entries)[number]),
    id: `more-${index}`,
    client: index % 2 ? 'nightly-report' : 'Open WebUI',
    category: 'general' as const,
    priority: index % 2 ? ('low' as const) : ('medium' as const),
    position: index + 3,
    etaMs: 120_000 + index * 20_000,
  }));
  return { stats: { ...stats, depth: stats.depth + more.length }, entries: [...entries, ...more] };
}

/** A server that gave up after repeated stops. */
const openLife = () => [
  lifeEvent('started', 200),
  lifeEvent('ready', 199.5, { facts: { seconds: 11 } }),
  lifeEvent('died', 60, { cause: 'out_of_memory', incident: 'incident-1' }),
  lifeEvent('restart_planned', 60, { facts: { seconds: 5 } }),
  lifeEvent('started', 59.8),
  lifeEvent('ready', 59.5, { facts: { seconds: 12 } }),
  lifeEvent('stalled', 30.1, { cause: 'stalled' }),
  lifeEvent('died', 30, { cause: 'stalled', incident: 'incident-2' }),
  lifeEvent('started', 29.8),
  lifeEvent('died', 20, { cause: 'unknown', incident: 'incident-3' }),
  lifeEvent('waiting_for_memory', 19.9),
  lifeEvent('breaker_open', 19, { facts: { seconds: 1_800 } }),
];

function answerScreen(part: 'math' | 'code' | 'scripts'): Screen {
  const { en, ru } = ANSWERS;
  return {
    name: `answer-${part}`,
    core: (language) =>
      chat(language, [
        user('u1', WORDS[language].ask),
        fakeAnswer({
          id: 'a1',
          replyTo: 'u1',
          text: ANSWERS[language][part],
          meta: { ...OLLAMA, thinkingMs: 4_200 },
        }),
      ]),
    ...(part === 'math' ? { press: { en: en.thought, ru: ru.thought } } : {}),
  };
}

export const SCREENS: readonly Screen[] = [
  { name: 'chat', core: (language) => chat(language, talk(language)) },
  answerScreen('math'),
  answerScreen('code'),
  answerScreen('scripts'),
  {
    name: 'chat-why',
    core: (language) => chat(language, talk(language).slice(0, 2)),
    press: { en: 'Why?', ru: 'Почему?' },
  },
  {
    name: 'chat-target',
    core: (language) => chat(language, talk(language)),
    press: { en: 'Who answers: Auto', ru: 'Кто отвечает: Авто' },
  },
  {
    name: 'chat-empty',
    core: (language) => new FakeCore(fakeSnapshot({ settings: settingsView({ language }) })),
  },
  {
    name: 'chat-streaming',
    core: (language) => {
      const words = WORDS[language];
      const meta = { ...OLLAMA, tokensPerSecond: null, completionTokens: null, promptTokens: null };
      const text = `${words.intro}\n\n${CODE.slice(0, 130)}`;
      const answer = fakeAnswer({ id: 'a1', replyTo: 'u1', status: 'streaming', text, meta });
      return chat(language, [user('u1', words.ask), answer], busy);
    },
  },
  {
    name: 'chat-queued',
    core: (language) => {
      const meta = answerMeta({
        source: 'ollama',
        model: 'llama3.3:70b',
        category: 'reasoning',
        position: 2,
        etaMs: 41_000,
        reasons: ['rule:analysis'],
      });
      return chat(
        language,
        [user('u1', WORDS[language].plan), fakeAnswer({ id: 'a1', replyTo: 'u1', status: 'queued', meta })],
        { ...busy, queue: queue() },
      );
    },
  },
  {
    name: 'chat-rescued',
    core: (language) => {
      const words = WORDS[language];
      const rescued = {
        ...OLLAMA,
        model: 'qwen2.5:3b',
        category: 'greeting' as const,
        reasons: ['rule:greeting', 'fallback:mlx-out-of-memory'],
        ttftMs: 900,
        tokensPerSecond: 31,
      };
      const broken = {
        ...OLLAMA,
        breaks: [
          { at: words.half.length, from: 'mlx' as const, to: 'ollama' as const, reason: 'mlx-exited' },
        ],
      };
      return chat(
        language,
        [
          user('u1', words.hello),
          fakeAnswer({ id: 'a1', replyTo: 'u1', text: words.greeting, meta: rescued }),
          user('u2', words.plan),
          fakeAnswer({ id: 'a2', replyTo: 'u2', text: words.half + words.again, meta: broken }),
        ],
        {
          backends: [
            backendStatus('mlx', {
              state: 'backoff',
              nextStartAt: Date.now() + 8_000,
              lastError: oom,
              readySince: null,
            }),
            backendStatus('ollama'),
          ],
        },
      );
    },
  },
  {
    name: 'chat-rescuing',
    core: (language) => {
      const meta = answerMeta({
        source: 'ollama',
        model: 'qwen2.5:3b',
        category: 'greeting',
        reasons: ['rule:greeting', 'fallback:mlx-out-of-memory'],
      });
      return chat(
        language,
        [user('u1', WORDS[language].hello), fakeAnswer({ id: 'a1', replyTo: 'u1', status: 'queued', meta })],
        {
          backends: [
            backendStatus('mlx', {
              state: 'open',
              restarts: 10,
              readySince: null,
              breaker: { state: 'open', nextTryAt: Date.now() + 25 * 60_000 },
              lastError: oom,
            }),
            backendStatus('ollama', { activeRequests: 1 }),
          ],
        },
      );
    },
  },
  {
    name: 'chat-recovering',
    core: (language) => {
      const words = WORDS[language];
      const recovery: Answer['meta']['recovery'] = {
        failed: { backend: 'ollama', cause: 'killed' },
        awaited: ['ollama'],
      };
      const meta = { ...OLLAMA, recovery, tokensPerSecond: null, completionTokens: null };
      const text = `${words.intro}\n\n${CODE.slice(0, 130)}`;
      return chat(
        language,
        [...talk(language).slice(0, 2), user('u2', words.ask), streamingAnswer('u2', text, meta)],
        {
          backends: [
            backendStatus('mlx'),
            backendStatus('ollama', { state: 'backoff', nextStartAt: Date.now() + 5_000 }),
          ],
        },
      );
    },
  },
  {
    name: 'chat-no-server-yet',
    core: (language) => {
      const meta = answerMeta({ recovery: { failed: null, awaited: ['mlx', 'ollama'] } });
      return chat(
        language,
        [user('u1', WORDS[language].ask), fakeAnswer({ id: 'a1', replyTo: 'u1', status: 'queued', meta })],
        {
          backends: [
            backendStatus('mlx', { state: 'starting', stage: 'loading' }),
            backendStatus('ollama', { state: 'backoff', nextStartAt: Date.now() + 12_000 }),
          ],
        },
      );
    },
  },
  {
    name: 'chat-other-server',
    core: (language) => {
      const words = WORDS[language];
      const target = { kind: 'backend', backend: 'mlx' } as const;
      const meta = { ...OLLAMA, target, reasons: ['explicit:backend', 'unavailable:mlx-only-small'] };
      return chat(language, [
        user('u1', words.plan),
        fakeAnswer({ id: 'a1', replyTo: 'u1', text: words.again, meta }),
      ]);
    },
  },
  {
    name: 'chat-spared',
    core: (language) => {
      const details = {
        rule: 'working_set',
        reason: 'memory:working-set',
        backend: 'mlx',
        model: 'mlx-community/Qwen2.5-32B-Instruct-4bit',
        neededBytes: 21.4 * GIB,
        freeBytes: 6.2 * GIB,
      };
      const error = { code: 'memory_critical', message: 'Held back on purpose.', details };
      const target = { kind: 'model', backend: 'mlx', model: details.model } as const;
      const meta = answerMeta({ source: 'app', reasons: ['explicit:model'], target, error });
      return chat(language, [
        user('u1', WORDS[language].hello),
        fakeAnswer({ id: 'a0', replyTo: 'u1', text: WORDS[language].greeting, meta: MLX }),
        user('u2', WORDS[language].plan),
        fakeAnswer({ id: 'a1', replyTo: 'u2', status: 'failed', meta }),
      ]);
    },
  },
  {
    name: 'chat-failed',
    core: (language) => {
      const words = WORDS[language];
      const error = { code: 'timeout', message: 'too slow', details: {} };
      return chat(language, [
        user('u1', words.plan),
        fakeAnswer({
          id: 'a1',
          replyTo: 'u1',
          status: 'failed',
          text: words.half,
          meta: { ...OLLAMA, error },
        }),
        user('u2', words.hello),
        fakeAnswer({ id: 'a2', replyTo: 'u2', status: 'stopped', text: words.greeting, meta: MLX }),
      ]);
    },
  },
  {
    name: 'chat-two-answers',
    core: (language) => {
      const words = WORDS[language];
      return chat(language, [
        user('u1', words.hello),
        fakeAnswer({ id: 'a1', replyTo: 'u1', text: words.greeting, meta: MLX }),
        fakeAnswer({
          id: 'a2',
          replyTo: 'u1',
          text: words.greeting,
          meta: { ...OLLAMA, reasons: ['explicit:backend'], category: 'greeting' },
        }),
      ]);
    },
  },
  {
    name: 'no-model',
    core: (language) =>
      new FakeCore(
        smallSnapshot({
          settings: settingsView({ language }),
          downloads: [fakeDownload()],
        }),
      ),
  },
  {
    name: 'no-model-answer',
    core: (language) => {
      const meta = answerMeta({
        source: 'app',
        category: 'coding',
        reasons: ['rule:code-request', 'no-capable-model'],
        notice: 'no_model',
      });
      const failed = fakeDownload({
        state: 'failed',
        completedBytes: 0,
        totalBytes: null,
        error: { code: 'disk_full', message: '' },
      });
      return chat(
        language,
        [user('u1', WORDS[language].ask), fakeAnswer({ id: 'a1', replyTo: 'u1', meta })],
        { downloads: [failed] },
        smallSnapshot(),
      );
    },
  },
  {
    name: 'small-model',
    core: (language) => new FakeCore(smallSnapshot({ settings: settingsView({ language }) })),
  },
  {
    name: 'small-model-answer',
    core: (language) => {
      const meta = { ...MLX, model: SMALL_MODEL_NAME, reasons: ['rule:greeting', 'small-model'] };
      return chat(
        language,
        [
          user('u1', 'hi! what is the capital of France?'),
          fakeAnswer({
            id: 'a1',
            replyTo: 'u1',
            text: 'The capital of France is Paris.',
            meta: { ...meta, notice: 'small_model' },
          }),
          user('u2', 'and of Australia?'),
          fakeAnswer({ id: 'a2', replyTo: 'u2', text: 'The capital of Australia is Sydney.', meta }),
        ],
        {},
        smallSnapshot(),
      );
    },
  },
  {
    name: 'no-language-answer',
    core: (language) => {
      const meta = answerMeta({
        source: 'app',
        category: 'coding',
        reasons: ['rule:code-request', 'unavailable:ollama-language', 'no-capable-model'],
        notice: 'no_model',
        error: { code: 'no_model', message: '', details: { language: 'ru' } },
      });
      const answer = fakeAnswer({ id: 'a1', replyTo: 'u1', meta });
      return chat(language, [user('u1', WORDS.ru.ask), answer], {}, smallSnapshot());
    },
  },
  {
    name: 'status',
    open: 'status',
    core: (language) =>
      chat(language, [], {
        backends: [smaller, backendStatus('ollama', { activeRequests: 1 })],
        queue: queue(),
        ledger: fakeLedger(),
        life: fakeLife(),
        times: fakeTimes(),
      }),
  },
  {
    name: 'status-history',
    open: 'status',
    show: { en: 'History', ru: 'История' },
    core: (language) =>
      chat(language, [], {
        backends: [
          backendStatus('mlx', {
            state: 'backoff',
            readySince: null,
            restarts: 3,
            nextStartAt: Date.now() + 8_000,
            hangLimits: { silenceMs: 3_000, stepMs: 8_000, learned: true },
          }),
          backendStatus('ollama'),
        ],
        ledger: fakeLedger(),
        life: openLife().slice(0, -1),
        times: fakeTimes(),
      }),
  },
  {
    name: 'status-ledger',
    open: 'status',
    show: { en: 'Where the figures come from', ru: 'Откуда эти числа' },
    scrollTo: 'memory-pressure',
    core: (language) => {
      const lastDecision = {
        at: Date.now() - 4 * 60_000,
        kind: 'wait' as const,
        backend: 'mlx' as const,
        model: 'mlx-community/Phi-3.5-mini-instruct-4bit',
        rule: 'working_set',
        neededBytes: 5.2 * GIB,
        freeBytes: 3.1 * GIB,
      };
      return chat(language, [], { ledger: fakeLedger({ lastDecision }), life: fakeLife() });
    },
  },
  {
    name: 'status-queue',
    open: 'status',
    scrollTo: 'queue-depth',
    core: (language) => chat(language, [], { ...busy, queue: longQueue(), ledger: fakeLedger() }),
  },
  {
    name: 'status-times',
    open: 'status',
    scrollTo: 'model-times',
    core: (language) =>
      chat(language, [], {
        ledger: fakeLedger(),
        times: [
          ...fakeTimes(),
          ...['qwen2.5:3b', 'gemma2:9b', 'deepseek-r1:32b'].map((name) => ({
            backend: 'ollama' as const,
            name,
            loadS: 25,
            per1kS: 15,
            samples: 0,
            source: 'table' as const,
          })),
        ],
      }),
  },
  {
    name: 'status-restarting',
    open: 'status',
    core: (language) =>
      chat(language, [], {
        backends: [
          backendStatus('mlx', { state: 'starting', stage: 'loading', readySince: null }),
          backendStatus('ollama'),
        ],
      }),
  },
  {
    name: 'status-open',
    open: 'status',
    core: (language) =>
      chat(language, [], {
        backends: [
          backendStatus('mlx', {
            state: 'open',
            restarts: 10,
            readySince: null,
            memoryBytes: null,
            breaker: { state: 'open', nextTryAt: Date.now() + 25 * 60_000 },
            lastError: oom,
          }),
          backendStatus('ollama', { activeRequests: 1 }),
        ],
        life: openLife(),
        ledger: fakeLedger({
          usedBytes: 87.4 * GIB,
          entries: fakeLedger().entries.filter(({ backend }) => backend === 'ollama'),
        }),
        memory: memoryStatus({
          usedPercent: 91,
          usedBytes: 87.4 * GIB,
          pressure: 'warning',
          backendBytes: { mlx: null, ollama: 47 * GIB },
        }),
        warnings: [
          {
            code: 'port_taken',
            message:
              'Port 11437 is taken by node (process 812); the UI is at http://127.0.0.1:11438 instead.',
            details: { port: 11437, holder: 'node', pid: 812, url: 'http://127.0.0.1:11438' },
          },
        ],
      }),
  },
  {
    name: 'status-both-down',
    open: 'status',
    show: { en: 'History', ru: 'История' },
    core: (language) => chat(language, [], bothDown()),
  },
  {
    name: 'chat-both-down',
    core: (language) => chat(language, [], bothDown()),
  },
  {
    name: 'status-setup',
    open: 'status',
    core: (language) =>
      chat(language, [], {
        backends: [
          backendStatus('mlx', {
            state: 'stopped',
            stage: 'setup',
            model: null,
            readySince: null,
            restarts: 0,
            memoryBytes: null,
            version: null,
          }),
          backendStatus('ollama', {
            state: 'absent',
            ownership: 'none',
            model: null,
            readySince: null,
            version: null,
            memoryBytes: null,
            url: null,
            absence: {
              code: 'no_go',
              cure: 'Install the Ollama app (or run: brew install ollama) and start Tandem again.',
              details: { command: 'brew install ollama' },
            },
          }),
        ],
        setup: [
          {
            part: 'mlx',
            stage: 'install',
            detail: 'Fetching mlx-metal-0.29.1',
            percent: 64,
            elapsedMs: 21_000,
          },
          {
            part: 'ollama',
            stage: 'build',
            detail: 'go build ./… (package 412 of 903)',
            percent: null,
            elapsedMs: 95_000,
          },
        ],
      }),
  },
  {
    name: 'settings',
    open: 'settings',
    core: (language) => {
      const core = chat(language, []);
      const settings = settingsView({ language, mlxOnlyLight: false });
      const light = settings.mlxOnlyLight;
      const coding = settings.ollamaModelCoding;
      if (light) settings.mlxOnlyLight = { ...light, pendingRestart: true };
      if (coding)
        settings.ollamaModelCoding = { ...coding, value: 'qwen2.5-coder:32b', source: 'environment' };
      core.snapshot = { ...core.snapshot, settings };
      return core;
    },
  },
  {
    name: 'settings-models',
    open: 'settings',
    show: { en: 'Models', ru: 'Модели' },
    core: (language) => {
      const core = chat(language, []);
      const settings = settingsView({
        language,
        mlxOnlyLight: false,
        modelFolders: ['/Volumes/Work/models'],
      });
      core.snapshot = { ...core.snapshot, settings };
      return core;
    },
  },
  {
    name: 'settings-folders',
    open: 'settings',
    show: { en: 'More model folders', ru: 'Ещё папки с моделями' },
    core: (language) => {
      const core = chat(language, []);
      const settings = settingsView({ language, modelFolders: ['/Volumes/Work/models'] });
      core.snapshot = { ...core.snapshot, settings };
      return core;
    },
  },
  {
    name: 'settings-advanced',
    open: 'settings',
    show: { en: 'Advanced', ru: 'Дополнительно' },
    core: (language) => chat(language, []),
  },
  {
    name: 'status-failed',
    open: 'status',
    core: (language) =>
      chat(language, [], {
        backends: [backendStatus('mlx')],
        setup: [
          {
            part: 'ollama',
            stage: 'failed',
            detail: 'Building Ollama needs cmake, ninja-build.',
            percent: null,
            elapsedMs: 4_000,
            code: 'no_build_tools',
            cure: 'Run: sudo apt-get install -y cmake ninja-build',
            command: 'sudo apt-get install -y cmake ninja-build',
          },
        ],
        warnings: [
          {
            code: 'environment_invalid',
            message:
              'MLX_MAX_CONCURRENT was not understood and is ignored. Accepted: a whole number from 1 to 16.',
            details: { name: 'MLX_MAX_CONCURRENT', accepted: 'whole', low: 1, high: 16 },
          },
          {
            code: 'database_unreadable',
            message:
              'The chat database could not be read. It was kept as /Users/anna/Library/Application Support/Tandem/chats.unreadable-2026-03-04T10-00-00.db and a new one was started. To recover chats…',
            details: {
              path: '/Users/anna/Library/Application Support/Tandem/chats.unreadable-2026-03-04T10-00-00.db',
            },
          },
        ],
      }),
  },
];
