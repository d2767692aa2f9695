import { describe, expect, it } from 'vitest';
import { decideByRules } from '../../../src/main/router/decide';
import { route } from '../../../src/main/router/route';
import type { Route, RouteSnapshot } from '../../../src/main/router/types';
import type { CompletionRequest } from '../../../src/shared/completion';
import {
  type BackendId,
  type BackendState,
  type ModelInfo,
  type Reason,
  SMALL_MODEL_NAME,
} from '../../../src/shared/domain';
import { defaultSettings, type Settings } from '../../../src/shared/settings';
import { CAPABLE, routeBackend } from '../../support/backends';
import { model } from '../../support/scripted-backend';

const PHI_MLX = model('mlx', 'mlx-community/phi3.5-mini-4k', 3.8, {
  contextLength: 4096,
  quantisation: '4bit',
});
const CODER_MLX = model('mlx', 'mlx-community/Qwen2.5-Coder-32B-Instruct-4bit', 32, {
  contextLength: 32_768,
});
const LLAMA70_MLX = model('mlx', 'mlx-community/Llama-3.3-70B-4bit', 70);
const small = (backend: BackendId) =>
  model(backend, SMALL_MODEL_NAME, 0.135, { small: true, languages: ['en'], contextLength: 8192 });
const SMALL_MLX = small('mlx');
const SMALL_OLLAMA = small('ollama');
const ONLY_SMALL = [SMALL_MLX, SMALL_OLLAMA];
const PHI = model('ollama', 'phi3.5:3.8b', 3.8);
const CODER = model('ollama', 'qwen2.5-coder:32b', 32);
const GENERAL = model('ollama', 'qwen2.5:32b', 32);
const R1 = model('ollama', 'deepseek-r1:32b', 32);
const CLOUD = model('ollama', 'gpt-oss:120b-cloud', 120, { remote: true });
const FULL = [PHI_MLX, SMALL_MLX, SMALL_OLLAMA, PHI, CODER, GENERAL, R1, CLOUD];

const HELLO = 'hello!';
const CODE = 'Write a Python function that merges two sorted lists';
const PROOF = 'Prove that there are infinitely many prime numbers';
const TEXT = 'Write a short letter to my landlord';
const DATA = 'How many orders did our customers place in March?';
const FACT = 'What is the capital of Peru?';
const LONG = 'autumn leaves '.repeat(1200);

/** The small model, chosen because no better one exists, in the notation of `told`. */
const NAME = SMALL_MODEL_NAME;
const S = `${SMALL_MODEL_NAME} (small-model)`;

interface World {
  models?: ModelInfo[];
  settings?: Partial<Settings>;
  states?: Partial<Record<BackendId, BackendState>>;
  disabled?: BackendId;
  settingUp?: BackendId;
  memory?: RouteSnapshot['memory'];
  /** A model that memory can never hold on MLX, and why. */
  never?: [name: string, why: Reason];
  lacks?: Partial<Record<BackendId, 'tools' | 'images' | 'jsonSchema'>>;
}

function decide(text: string, request: Partial<CompletionRequest> = {}, world: World = {}): Route {
  const useBackends = world.disabled === undefined ? 'both' : world.disabled === 'mlx' ? 'ollama' : 'mlx';
  const settings: Settings = { ...defaultSettings(), useBackends, ...world.settings };
  const backend = (id: BackendId) => {
    const facts = {
      state: world.states?.[id] ?? ('ready' as const),
      enabled: world.disabled !== id,
      settingUp: world.settingUp === id,
      capabilities: { ...CAPABLE, ...(world.lacks?.[id] ? { [world.lacks[id]]: false } : {}) },
    };
    return routeBackend(id, facts, settings);
  };
  const asked: CompletionRequest = {
    id: 'r',
    messages: [{ role: 'user', content: text }],
    model: { kind: 'auto' },
    priority: 'high',
    client: 'ui',
    sampling: {},
    strict: false,
    origin: 'chat',
    ...request,
  };
  return route(decideByRules(asked), asked, {
    settings,
    backends: [backend('mlx'), backend('ollama')],
    models: world.models ?? FULL,
    memory: world.memory ?? 'normal',
    memoryRefuses: (id, name) =>
      id === 'mlx' && name === world.never?.[0] ? (world.never?.[1] ?? null) : null,
  });
}

/** `category: backend model (reasons) > … [reasons of the route]`; `…` after a model = waits until it is up. */
function told(decision: Route): string {
  const reasons = ` [${decision.reasons.join(' ')}]`;
  if (decision.kind === 'refused') return `${decision.category}: ${decision.error.code}${reasons}`;
  const candidates = decision.candidates.map(({ backend, model: name, waitForReady, reasons: why }) => {
    const short = name.split('/').at(-1);
    return `${backend} ${short}${waitForReady ? '…' : ''}${why.length > 0 ? ` (${why.join(' ')})` : ''}`;
  });
  return `${decision.category}: ${candidates.join(' > ')}${reasons}`;
}

type Case = [what: string, text: string, request: Partial<CompletionRequest>, world: World, expected: string];

function table(name: string, cases: Case[]): void {
  describe(name, () => {
    it.each(cases)('%s', (_what, text, request, world, expected) => {
      expect(told(decide(text, request, world))).toBe(expected);
    });
  });
}

table('categories, with everything installed and up', [
  [
    'a greeting goes to the light model on MLX',
    HELLO,
    {},
    {},
    'greeting: mlx phi3.5-mini-4k > ollama phi3.5:3.8b [rule:greeting]',
  ],
  [
    'code goes to the coder in Ollama, and never to MLX',
    CODE,
    {},
    {},
    'coding: ollama qwen2.5-coder:32b [rule:code-request setting:only-light]',
  ],
  [
    'reasoning goes to the reasoner in Ollama',
    PROOF,
    {},
    {},
    'reasoning: ollama deepseek-r1:32b [rule:maths setting:only-light]',
  ],
  [
    'any other request goes to the general model, MLX is the fallback',
    TEXT,
    {},
    {},
    'general: ollama qwen2.5:32b > mlx phi3.5-mini-4k [rule:default]',
  ],
  [
    'a question about data goes to the general model',
    DATA,
    {},
    {},
    'data_question: ollama qwen2.5:32b > mlx phi3.5-mini-4k [rule:own-data]',
  ],
  [
    'an explicit category is used as given',
    HELLO,
    { category: 'coding' },
    {},
    'coding: ollama qwen2.5-coder:32b [explicit:category setting:only-light]',
  ],
  [
    'so is one in the model name',
    CODE,
    { model: { kind: 'auto', category: 'fast' } },
    {},
    'fast: mlx phi3.5-mini-4k > ollama phi3.5:3.8b [explicit:category]',
  ],
  [
    'a long request is too much for MLX',
    LONG,
    { category: 'fast' },
    {},
    'fast: ollama phi3.5:3.8b [explicit:category rule:long-context]',
  ],
  [
    'max_tokens count as well',
    HELLO,
    { sampling: { maxTokens: 4096 } },
    {},
    'greeting: ollama phi3.5:3.8b [rule:greeting rule:long-context]',
  ],
]);

table('settings', [
  [
    'mlx-first puts MLX first',
    TEXT,
    {},
    { settings: { policy: 'mlx-first' } },
    'general: mlx phi3.5-mini-4k > ollama qwen2.5:32b [rule:default setting:policy]',
  ],
  [
    'but sends it no code while it may do only light work',
    CODE,
    {},
    { settings: { policy: 'mlx-first' } },
    'coding: ollama qwen2.5-coder:32b [rule:code-request setting:policy setting:only-light]',
  ],
  [
    'without that rule MLX takes code with a 32B model',
    CODE,
    {},
    { settings: { policy: 'mlx-first', mlxOnlyLight: false }, models: [...FULL, CODER_MLX, LLAMA70_MLX] },
    'coding: mlx Qwen2.5-Coder-32B-Instruct-4bit > ollama qwen2.5-coder:32b [rule:code-request setting:policy]',
  ],
  [
    'a 70B model is never chosen for MLX by a category',
    PROOF,
    {},
    { settings: { mlxOnlyLight: false, mlxCategories: ['reasoning'] }, models: [LLAMA70_MLX, R1] },
    'reasoning: ollama deepseek-r1:32b [rule:maths unavailable:mlx-no-model]',
  ],
  [
    'unless the user names it for that',
    PROOF,
    {},
    {
      settings: { mlxOnlyLight: false, mlxCategories: ['reasoning'], mlxModelReasoning: LLAMA70_MLX.name },
      models: [LLAMA70_MLX, R1],
    },
    'reasoning: mlx Llama-3.3-70B-4bit > ollama deepseek-r1:32b [rule:maths]',
  ],
  [
    'more categories may be allowed on MLX',
    TEXT,
    {},
    { settings: { mlxCategories: ['general'] } },
    'general: mlx phi3.5-mini-4k > ollama qwen2.5:32b [rule:default]',
  ],
  [
    'a model that the user names counts as capable whatever its size',
    CODE,
    {},
    {
      settings: { ollamaModelCoding: SMALL_MODEL_NAME },
      models: [SMALL_OLLAMA, GENERAL],
    },
    `coding: ollama ${SMALL_MODEL_NAME} [rule:code-request setting:only-light]`,
  ],
  [
    'a named model that is not installed is replaced by the best installed one',
    CODE,
    {},
    { settings: { ollamaModelCoding: 'gone:7b' } },
    'coding: ollama qwen2.5-coder:32b [rule:code-request setting:only-light]',
  ],
  [
    'Ollama only',
    HELLO,
    {},
    { disabled: 'mlx' },
    'greeting: ollama phi3.5:3.8b [rule:greeting setting:ollama-only]',
  ],
  [
    'MLX only answers what a light model can',
    TEXT,
    {},
    { disabled: 'ollama' },
    'general: mlx phi3.5-mini-4k [rule:default setting:mlx-only]',
  ],
  [
    'and reports what is missing for other requests',
    CODE,
    {},
    { disabled: 'ollama' },
    'coding: no_model [rule:code-request setting:mlx-only setting:only-light no-capable-model]',
  ],
]);

table('which model', [
  [
    'for light work: phi3.5, then qwen2.5:3b, then tinyllama',
    HELLO,
    {},
    {
      models: [
        model('ollama', 'gemma2:2b', 2.6),
        model('ollama', 'tinyllama:1.1b-chat', 1.1),
        model('ollama', 'qwen2.5:3b', 3),
      ],
      states: { mlx: 'absent' },
    },
    'greeting: ollama qwen2.5:3b [rule:greeting unavailable:mlx-absent]',
  ],
  [
    'else the largest light one',
    HELLO,
    {},
    {
      models: [model('ollama', 'gemma2:2b', 2.6), model('ollama', 'smollm:135m', 0.1), CODER],
      states: { mlx: 'absent' },
    },
    'greeting: ollama gemma2:2b [rule:greeting unavailable:mlx-absent]',
  ],
  [
    'a quantised variant is preferred',
    HELLO,
    {},
    {
      models: [
        model('mlx', 'a/Phi-3.5-mini-instruct', 3.8, { quantisation: 'bf16' }),
        model('mlx', 'b/Phi-3.5-mini-instruct-4bit', 3.8, { quantisation: '4bit' }),
      ],
    },
    'greeting: mlx Phi-3.5-mini-instruct-4bit [rule:greeting unavailable:ollama-no-model]',
  ],
  [
    'no 7B on MLX while only light models are allowed there',
    HELLO,
    {},
    { models: [model('mlx', 'Mistral-7B', 7.2), CODER] },
    'greeting: ollama qwen2.5-coder:32b [rule:greeting unavailable:mlx-no-model]',
  ],
  [
    'for code: the 32B class before 70B, and both before 14B',
    CODE,
    {},
    { models: [model('ollama', 'llama3.3:70b', 70), model('ollama', 'qwen2.5-coder:14b', 14), GENERAL] },
    'coding: ollama qwen2.5:32b [rule:code-request setting:only-light]',
  ],
  [
    'a small one if there is no other',
    CODE,
    {},
    { models: [PHI] },
    'coding: ollama phi3.5:3.8b [rule:code-request setting:only-light]',
  ],
  [
    'no coder for general work if another of its class is there',
    TEXT,
    {},
    { models: [CODER, GENERAL] },
    'general: ollama qwen2.5:32b [rule:default unavailable:mlx-no-model]',
  ],
  [
    'never an embedding model',
    TEXT,
    {},
    { models: [model('ollama', 'nomic-embed-text', 0.1, { capabilities: ['embedding'] })] },
    'general: no_model [rule:default unavailable:ollama-no-model unavailable:mlx-no-model no-capable-model]',
  ],
  [
    'never a model on another machine',
    CODE,
    {},
    { models: [CLOUD] },
    'coding: no_model [rule:code-request unavailable:ollama-no-model setting:only-light no-capable-model]',
  ],
]);

table('the small model alone', [
  [
    'a greeting by MLX first',
    HELLO,
    {},
    { models: ONLY_SMALL },
    `greeting: mlx ${S} > ollama ${S} [rule:greeting]`,
  ],
  ['so a short fact', FACT, {}, { models: ONLY_SMALL }, `fast: mlx ${S} > ollama ${S} [rule:short-fact]`],
  [
    'all else by Ollama first',
    TEXT,
    {},
    { models: ONLY_SMALL },
    `general: ollama ${S} > mlx ${S} [rule:default]`,
  ],
  [
    'code too, with MLX behind it',
    CODE,
    {},
    { models: ONLY_SMALL },
    `coding: ollama ${S} > mlx ${S} [rule:code-request setting:only-light]`,
  ],
  [
    'also where MLX comes first by the settings',
    CODE,
    {},
    { models: ONLY_SMALL, settings: { policy: 'mlx-first' } },
    `coding: ollama ${S} > mlx ${S} [rule:code-request setting:policy setting:only-light]`,
  ],
  [
    'by MLX where Ollama does not run',
    PROOF,
    {},
    { models: ONLY_SMALL, states: { ollama: 'backoff' } },
    `reasoning: mlx ${NAME} (fallback:ollama-down small-model) > ollama ${NAME}… (small-model) [rule:maths setting:only-light]`,
  ],
  [
    'by MLX while Ollama is not there yet',
    CODE,
    {},
    { models: [SMALL_MLX], states: { ollama: 'absent' }, settingUp: 'ollama' },
    `coding: mlx ${S} [rule:code-request unavailable:ollama-absent setting:only-light]`,
  ],
  [
    'by MLX where the adopted Ollama has no model',
    TEXT,
    {},
    { models: [SMALL_MLX] },
    `general: mlx ${S} [rule:default unavailable:ollama-no-model]`,
  ],
  [
    'MLX only',
    CODE,
    {},
    { models: [SMALL_MLX], disabled: 'ollama' },
    `coding: mlx ${S} [rule:code-request setting:mlx-only setting:only-light]`,
  ],
  [
    'Ollama only',
    HELLO,
    {},
    { models: [SMALL_OLLAMA], disabled: 'mlx' },
    `greeting: ollama ${S} [rule:greeting setting:ollama-only]`,
  ],
  [
    'Ollama only, with a model in a folder of the MLX that is switched off',
    TEXT,
    {},
    { models: [SMALL_OLLAMA, PHI_MLX], disabled: 'mlx' },
    `general: ollama ${S} [rule:default setting:ollama-only]`,
  ],
  [
    'without fallback only the first choice remains',
    TEXT,
    { strict: true },
    { models: ONLY_SMALL },
    `general: ollama ${S} [rule:default]`,
  ],
  [
    'MLX, when named',
    CODE,
    { model: { kind: 'backend', backend: 'mlx' } },
    { models: ONLY_SMALL },
    `coding: mlx ${S} > ollama ${S} [rule:code-request explicit:backend setting:only-light]`,
  ],
  [
    'next to an embedding model and one on another machine',
    TEXT,
    {},
    {
      models: [
        SMALL_OLLAMA,
        CLOUD,
        model('ollama', 'nomic-embed-text', 0.1, { capabilities: ['embedding'] }),
      ],
    },
    `general: ollama ${S} [rule:default unavailable:mlx-no-model]`,
  ],
  [
    'a request that is too long for MLX goes to Ollama',
    HELLO,
    { sampling: { maxTokens: 8192 } },
    { models: [SMALL_MLX, { ...SMALL_OLLAMA, contextLength: null }] },
    `greeting: ollama ${S} [rule:greeting rule:long-context]`,
  ],
  [
    'a request that is too long for it on both servers',
    HELLO,
    { sampling: { maxTokens: 8192 } },
    { models: ONLY_SMALL },
    'greeting: no_model [rule:greeting rule:long-context no-capable-model]',
  ],
  [
    'it cannot use tools',
    HELLO,
    { tools: [{ name: 'f' }] },
    { models: ONLY_SMALL },
    'greeting: no_model [rule:greeting unavailable:mlx-only-small unavailable:ollama-only-small no-capable-model]',
  ],
  [
    'removed',
    HELLO,
    {},
    { models: [] },
    'greeting: no_model [rule:greeting unavailable:mlx-no-model unavailable:ollama-no-model no-capable-model]',
  ],
]);

const ON_PHI = { kind: 'named', name: PHI_MLX.name } as const;
const LONG_REASONS = '[explicit:model rule:default rule:long-context';

table('what is longer than its model holds', [
  [
    'is an error of the client that names the model',
    LONG,
    { model: ON_PHI },
    { models: [PHI_MLX] },
    `general: context_exceeded ${LONG_REASONS}]`,
  ],
  [
    'also for the small model when it is named',
    LONG,
    { model: { kind: 'named', name: SMALL_MODEL_NAME }, sampling: { maxTokens: 8192 } },
    { models: [SMALL_MLX] },
    `general: context_exceeded ${LONG_REASONS}]`,
  ],
  [
    'goes to another model where one is',
    LONG,
    { model: ON_PHI },
    {},
    `general: ollama qwen2.5:32b (fallback:named-model) ${LONG_REASONS}]`,
  ],
  [
    'goes nowhere else without fallback',
    LONG,
    { model: ON_PHI, strict: true },
    {},
    `general: context_exceeded ${LONG_REASONS}]`,
  ],
  [
    'without fallback also while the other server is gone',
    LONG,
    { model: ON_PHI, strict: true },
    { states: { ollama: 'absent' } },
    `general: context_exceeded ${LONG_REASONS}]`,
  ],
  [
    'is worth a wait for another server that could hold it',
    LONG,
    { model: ON_PHI },
    { states: { ollama: 'absent' } },
    `general: ollama_down ${LONG_REASONS}]`,
  ],
  [
    'nor on a server that is named without fallback',
    LONG,
    { model: { kind: 'backend', backend: 'mlx' }, category: 'fast', strict: true },
    {},
    'fast: context_exceeded [explicit:category explicit:backend rule:long-context]',
  ],
  [
    'has no model where none is named',
    LONG,
    { category: 'fast' },
    { models: [PHI_MLX] },
    'fast: no_model [explicit:category rule:long-context unavailable:ollama-no-model no-capable-model]',
  ],
]);

const pinned = (known: ModelInfo, pinnedContext: number) => ({ ...known, pinnedContext });
const ON_GENERAL = { kind: 'named', name: GENERAL.name } as const;
const HISTORY: CompletionRequest['messages'] = [
  { role: 'user', content: LONG },
  { role: 'assistant', content: 'ok' },
  { role: 'user', content: TEXT },
];

table('what is longer than the pinned context of a heavy server', [
  [
    'is an error, though the model itself supports more',
    LONG,
    { model: ON_GENERAL },
    { models: [pinned({ ...GENERAL, contextLength: 32_768 }, 4096)] },
    `general: context_exceeded ${LONG_REASONS}]`,
  ],
  [
    'goes to another model there whose context is longer',
    LONG,
    { category: 'coding' },
    { models: [pinned(CODER, 4096), pinned(GENERAL, 32_768)] },
    'coding: ollama qwen2.5:32b [explicit:category rule:long-context setting:only-light]',
  ],
  [
    'loses its oldest turns only where the client allows it',
    '',
    { model: ON_GENERAL, messages: HISTORY },
    { models: [pinned(GENERAL, 4096)] },
    `general: context_exceeded ${LONG_REASONS}]`,
  ],
  [
    'loses its oldest turns rather than go to another model than the named one',
    '',
    { model: ON_GENERAL, messages: HISTORY, mayLeaveOut: true },
    { models: [pinned(GENERAL, 4096), pinned(CODER, 32_768)] },
    'general: ollama qwen2.5:32b > ollama qwen2.5-coder:32b (fallback:named-model) [explicit:model rule:default]',
  ],
  [
    'loses its oldest turns only if no model holds them all',
    '',
    { category: 'general', messages: HISTORY, mayLeaveOut: true },
    { models: [pinned(GENERAL, 4096), pinned(CODER, 32_768)] },
    'general: ollama qwen2.5-coder:32b [explicit:category rule:long-context unavailable:mlx-no-model]',
  ],
  [
    'is an error if the last turn alone is too long',
    LONG,
    { model: ON_GENERAL, mayLeaveOut: true },
    { models: [pinned(GENERAL, 4096)] },
    `general: context_exceeded ${LONG_REASONS}]`,
  ],
]);

table("a client's own num_ctx", [
  [
    'is served within the pinned one',
    TEXT,
    { model: ON_GENERAL, contextTokens: 8192 },
    { models: [pinned(GENERAL, 8192)] },
    'general: ollama qwen2.5:32b [explicit:model rule:default]',
  ],
  [
    'above it is an error, also if another model has a longer context',
    TEXT,
    { model: ON_GENERAL, contextTokens: 8193 },
    { models: [pinned(GENERAL, 8192), pinned(CODER, 32_768)] },
    `general: context_exceeded ${LONG_REASONS}]`,
  ],
  [
    'decides where Tandem may choose',
    HELLO,
    { contextTokens: 8192 },
    { models: [PHI_MLX, pinned(PHI, 8192)] },
    'greeting: ollama phi3.5:3.8b [rule:greeting rule:long-context]',
  ],
  [
    'is an error where no model has it',
    TEXT,
    { contextTokens: 65_536 },
    { models: [pinned(GENERAL, 8192)] },
    'general: context_exceeded [rule:default rule:long-context unavailable:mlx-no-model]',
  ],
]);

describe('the error for a num_ctx that is too large', () => {
  it.each([ON_GENERAL, { kind: 'auto' } as const])('names the constant length and the cure: %j', (model) => {
    const decision = decide(TEXT, { model, contextTokens: 65_536 }, { models: [pinned(GENERAL, 8192)] });
    expect(decision).toMatchObject({
      kind: 'refused',
      error: {
        code: 'context_exceeded',
        message: expect.stringMatching(
          /65536 .*qwen2\.5:32b is 8192 tokens here.*ollama\/qwen2\.5:32b.*contextLengths/,
        ),
      },
    });
  });
});

describe('the error for a request that is too long', () => {
  const wordsOf = (request: Partial<CompletionRequest>) => {
    const decision = decide(LONG, request, { models: [PHI_MLX] });
    if (decision.kind !== 'refused') throw new Error('was not refused');
    return decision.error;
  };

  it('names the model, its limit, and the cure; it suggests no download to a client that insists on the model', () => {
    const { message, details } = wordsOf({ model: ON_PHI });
    expect(message).toMatch(
      /about 5\d{3} tokens .*phi3\.5-mini-4k holds 4096\. Send less, .*num_predict.* longer context/,
    );
    expect(message).not.toMatch(/pull/);
    expect(details).toMatchObject({ model: PHI_MLX.name, context: 4096 });
  });

  it('names a model to download where any may answer', () => {
    expect(wordsOf({ category: 'fast' }).message).toMatch(
      /holds 4096; .*Send less, .*ollama pull qwen2\.5:3b/,
    );
  });
});

table('the small model beside others', [
  [
    'comes after every other light model of its server',
    FACT,
    {},
    { models: [SMALL_MLX, model('mlx', 'tiny-500m', 0.5), SMALL_OLLAMA, CODER] },
    'fast: mlx tiny-500m > ollama qwen2.5-coder:32b [rule:short-fact]',
  ],
  [
    'does light work on MLX if there is no other light one',
    HELLO,
    {},
    { models: [...ONLY_SMALL, CODER] },
    `greeting: mlx ${S} > ollama qwen2.5-coder:32b [rule:greeting]`,
  ],
  [
    'and nothing else',
    TEXT,
    {},
    { models: [...ONLY_SMALL, CODER] },
    'general: ollama qwen2.5-coder:32b [rule:default unavailable:mlx-only-small]',
  ],
  [
    'nor where MLX is named, with the reason that it has no other',
    CODE,
    { model: { kind: 'backend', backend: 'mlx' } },
    { models: [...ONLY_SMALL, CODER] },
    'coding: ollama qwen2.5-coder:32b [rule:code-request explicit:backend setting:only-light unavailable:mlx-only-small]',
  ],
  [
    'not even where what is installed can do less',
    CODE,
    {},
    { models: [...ONLY_SMALL, PHI_MLX] },
    'coding: no_model [rule:code-request unavailable:ollama-only-small setting:only-light no-capable-model]',
  ],
  [
    'is used on MLX when no other model fits into memory',
    HELLO,
    {},
    { models: [SMALL_MLX, PHI_MLX, PHI], never: [PHI_MLX.name, 'memory:working-set'] },
    `greeting: mlx ${S} > ollama phi3.5:3.8b [rule:greeting memory:working-set]`,
  ],
]);

table('a language that the small model does not know', [
  [
    'alone: no server can',
    'привет',
    {},
    { models: ONLY_SMALL },
    'greeting: no_model [rule:greeting unavailable:mlx-language unavailable:ollama-language no-capable-model]',
  ],
  [
    'nor in another category',
    'Напиши письмо моему арендодателю',
    {},
    { models: ONLY_SMALL },
    'general: no_model [rule:default unavailable:ollama-language unavailable:mlx-language no-capable-model]',
  ],
  [
    'in Latin letters',
    'Schreib mir bitte einen Brief an meinen Vermieter',
    {},
    { models: ONLY_SMALL },
    'general: no_model [rule:default unavailable:ollama-language unavailable:mlx-language no-capable-model]',
  ],
  [
    'with a light model on MLX: that one',
    'привет',
    {},
    { models: [...ONLY_SMALL, PHI_MLX] },
    'greeting: mlx phi3.5-mini-4k [rule:greeting unavailable:ollama-language]',
  ],
  [
    'with a heavy one in Ollama: that one',
    'привет',
    {},
    { models: [...ONLY_SMALL, CODER] },
    'greeting: ollama qwen2.5-coder:32b [rule:greeting unavailable:mlx-language]',
  ],
  [
    'a named model: it is used anyway',
    'привет',
    { model: { kind: 'named', name: SMALL_MODEL_NAME, backend: 'ollama' } },
    { models: ONLY_SMALL },
    `greeting: ollama ${NAME} > mlx ${NAME} [explicit:model rule:greeting]`,
  ],
  [
    'named in the settings: too',
    'привет',
    {},
    { models: [SMALL_MLX], settings: { mlxModelFast: SMALL_MODEL_NAME } },
    `greeting: mlx ${NAME} [rule:greeting unavailable:ollama-no-model]`,
  ],
  [
    'a server named: it does not help',
    'привет',
    { model: { kind: 'backend', backend: 'mlx' }, strict: true },
    { models: ONLY_SMALL },
    'greeting: no_model [rule:greeting explicit:backend unavailable:mlx-language no-capable-model]',
  ],
  [
    'Ollama is starting, and may have a model that knows it',
    'привет',
    {},
    { models: [SMALL_MLX], states: { ollama: 'starting' } },
    'greeting: ollama_down [rule:greeting unavailable:mlx-language unavailable:ollama-no-model]',
  ],
  [
    'Ollama is gone, and had none that knows it',
    'привет',
    {},
    { models: ONLY_SMALL, states: { ollama: 'absent' } },
    'greeting: no_model [rule:greeting unavailable:mlx-language unavailable:ollama-absent no-capable-model]',
  ],
]);

table('names', [
  [
    'a named backend comes first',
    CODE,
    { model: { kind: 'backend', backend: 'ollama' } },
    {},
    'coding: ollama qwen2.5-coder:32b [rule:code-request explicit:backend setting:only-light]',
  ],
  [
    'MLX, when named, does code with its light model',
    CODE,
    { model: { kind: 'backend', backend: 'mlx' } },
    {},
    'coding: mlx phi3.5-mini-4k > ollama qwen2.5-coder:32b [rule:code-request explicit:backend setting:only-light]',
  ],
  [
    'a named model comes first, the models of the category come next',
    TEXT,
    { model: { kind: 'named', name: 'phi3.5:3.8b' } },
    {},
    'general: ollama phi3.5:3.8b > ollama qwen2.5:32b (fallback:named-model) > mlx phi3.5-mini-4k (fallback:named-model) [explicit:model rule:default]',
  ],
  [
    'a missing tag is latest',
    HELLO,
    { model: { kind: 'named', name: 'Phi:Latest', backend: 'ollama' }, strict: true },
    { models: [model('ollama', 'phi', 2.8)] },
    'greeting: ollama phi [explicit:model rule:greeting]',
  ],
  [
    'a name on both servers goes to the server of the category',
    HELLO,
    { model: { kind: 'named', name: 'same' }, strict: true },
    { models: [model('ollama', 'same', 3), model('mlx', 'same', 3)] },
    'greeting: mlx same [explicit:model rule:greeting]',
  ],
  [
    'the same model on the other backend comes next',
    TEXT,
    { model: { kind: 'named', name: CODER.name } },
    { models: [CODER, CODER_MLX], settings: { mlxOnlyLight: false } },
    'general: ollama qwen2.5-coder:32b > mlx Qwen2.5-Coder-32B-Instruct-4bit [explicit:model rule:default]',
  ],
  [
    'a large model by name on MLX moves to Ollama while only light ones are allowed',
    CODE,
    { model: { kind: 'named', name: CODER_MLX.name, backend: 'mlx' } },
    { models: [CODER, CODER_MLX] },
    'coding: ollama qwen2.5-coder:32b [explicit:model rule:code-request setting:only-light]',
  ],
  [
    'or is rejected when no other server may answer',
    CODE,
    { model: { kind: 'named', name: CODER_MLX.name, backend: 'mlx' }, strict: true },
    { models: [CODER, CODER_MLX] },
    'coding: no_model [explicit:model rule:code-request setting:only-light]',
  ],
  [
    'unless settings name it',
    HELLO,
    { model: { kind: 'named', name: CODER_MLX.name }, strict: true },
    { models: [CODER_MLX], settings: { mlxModelFast: CODER_MLX.name } },
    'greeting: mlx Qwen2.5-Coder-32B-Instruct-4bit [explicit:model rule:greeting]',
  ],
  [
    'an unknown name',
    TEXT,
    { model: { kind: 'named', name: 'nope' } },
    {},
    'general: model_not_found [explicit:model rule:default]',
  ],
  [
    'known, but not on the backend that was named',
    TEXT,
    { model: { kind: 'named', name: PHI.name, backend: 'mlx' } },
    {},
    'general: model_not_found [explicit:model rule:default]',
  ],
  [
    'possibly known to a server that has not been queried yet',
    TEXT,
    { model: { kind: 'named', name: 'nope' } },
    { models: [PHI_MLX], states: { ollama: 'starting' } },
    'general: ollama_down [explicit:model rule:default]',
  ],
  [
    'a cloud model by name',
    TEXT,
    { model: { kind: 'named', name: CLOUD.name } },
    {},
    'general: unsupported [explicit:model rule:default]',
  ],
]);

table('the state of the backends', [
  [
    'MLX down: Ollama answers at once',
    HELLO,
    {},
    { models: [PHI_MLX, PHI], states: { mlx: 'backoff' } },
    'greeting: ollama phi3.5:3.8b (fallback:mlx-down) > mlx phi3.5-mini-4k… [rule:greeting]',
  ],
  [
    'MLX given up for now',
    HELLO,
    {},
    { models: [PHI_MLX, PHI], states: { mlx: 'open' } },
    'greeting: ollama phi3.5:3.8b (fallback:mlx-down breaker:open) > mlx phi3.5-mini-4k… [rule:greeting]',
  ],
  [
    'MLX not installed',
    HELLO,
    {},
    { models: [PHI], states: { mlx: 'absent' } },
    'greeting: ollama phi3.5:3.8b [rule:greeting unavailable:mlx-absent]',
  ],
  [
    'Ollama restarting: code waits for it',
    CODE,
    {},
    { states: { ollama: 'starting' } },
    'coding: ollama qwen2.5-coder:32b… [rule:code-request setting:only-light]',
  ],
  [
    'Ollama down: a light model on MLX may do general work',
    TEXT,
    {},
    { states: { ollama: 'backoff' } },
    'general: mlx phi3.5-mini-4k (fallback:ollama-down) > ollama qwen2.5:32b… [rule:default]',
  ],
  [
    'the small model never, as something better is installed',
    TEXT,
    {},
    { models: [SMALL_MLX, GENERAL], states: { ollama: 'backoff' } },
    'general: ollama qwen2.5:32b… [rule:default unavailable:mlx-only-small]',
  ],
  [
    'Ollama busy or adopted is up',
    CODE,
    {},
    { states: { ollama: 'adopted' } },
    'coding: ollama qwen2.5-coder:32b [rule:code-request setting:only-light]',
  ],
  [
    'both starting: the order stays, both are waited for',
    HELLO,
    {},
    { models: [PHI_MLX, PHI], states: { mlx: 'starting', ollama: 'starting' } },
    'greeting: mlx phi3.5-mini-4k… > ollama phi3.5:3.8b… [rule:greeting]',
  ],
  [
    'no server at all',
    HELLO,
    {},
    { states: { mlx: 'absent', ollama: 'absent' } },
    'greeting: backend_absent [rule:greeting unavailable:mlx-absent unavailable:ollama-absent]',
  ],
  [
    'memory critical: no work for MLX',
    HELLO,
    {},
    { models: [PHI_MLX, PHI], memory: 'critical' },
    'greeting: ollama phi3.5:3.8b [rule:greeting memory:critical]',
  ],
  [
    'memory critical and only MLX',
    HELLO,
    {},
    { disabled: 'ollama', memory: 'critical' },
    'greeting: memory_critical [rule:greeting memory:critical setting:mlx-only]',
  ],
  [
    'memory critical, and Ollama has no model',
    HELLO,
    {},
    { models: [PHI_MLX], memory: 'critical' },
    'greeting: memory_critical [rule:greeting memory:critical unavailable:ollama-no-model]',
  ],
  [
    'memory critical, and nothing but a model of MLX is allowed',
    HELLO,
    { model: { kind: 'named', name: PHI_MLX.name, backend: 'mlx' }, strict: true },
    { models: [PHI_MLX, PHI], memory: 'critical' },
    'greeting: memory_critical [explicit:model rule:greeting memory:critical]',
  ],
  [
    'memory critical, and nothing but MLX is allowed',
    HELLO,
    { model: { kind: 'backend', backend: 'mlx' }, strict: true },
    { models: [PHI_MLX, PHI], memory: 'critical' },
    'greeting: memory_critical [rule:greeting explicit:backend memory:critical]',
  ],
  [
    'memory critical, but it is a model that is missing',
    CODE,
    {},
    { models: [PHI_MLX], memory: 'critical' },
    'coding: no_model [rule:code-request unavailable:ollama-no-model memory:critical no-capable-model]',
  ],
  [
    'memory critical, and the user overrules',
    HELLO,
    { overruleMemory: true },
    { models: [PHI_MLX, PHI], memory: 'critical' },
    'greeting: mlx phi3.5-mini-4k > ollama phi3.5:3.8b [rule:greeting]',
  ],
  [
    'a model that the GPU can never hold',
    HELLO,
    {},
    { models: [PHI_MLX, PHI], never: [PHI_MLX.name, 'memory:working-set'] },
    'greeting: ollama phi3.5:3.8b [rule:greeting memory:working-set]',
  ],
  [
    'a model that the GPU can never hold, by name and alone',
    HELLO,
    { model: { kind: 'named', name: PHI_MLX.name }, strict: true },
    { models: [PHI_MLX], disabled: 'ollama', never: [PHI_MLX.name, 'memory:buffer-limit'] },
    'greeting: memory_critical [explicit:model rule:greeting memory:buffer-limit]',
  ],
  [
    'a model that the GPU can never hold, and the user overrules',
    HELLO,
    { overruleMemory: true },
    { models: [PHI_MLX, PHI], never: [PHI_MLX.name, 'memory:working-set'] },
    'greeting: mlx phi3.5-mini-4k > ollama phi3.5:3.8b [rule:greeting]',
  ],
]);

table('what the request forbids or needs', [
  [
    'without fallback only the first choice remains, up or not',
    HELLO,
    { strict: true },
    { models: [PHI_MLX, PHI], states: { mlx: 'backoff' } },
    'greeting: mlx phi3.5-mini-4k [rule:greeting]',
  ],
  [
    'the other one, please',
    HELLO,
    { exclude: ['mlx'] },
    { models: [PHI_MLX, PHI] },
    'greeting: ollama phi3.5:3.8b [rule:greeting unavailable:mlx-excluded]',
  ],
  [
    'no fallback to another backend than the one named',
    HELLO,
    { model: { kind: 'backend', backend: 'mlx' }, strict: true },
    { models: [PHI_MLX, PHI] },
    'greeting: mlx phi3.5-mini-4k [rule:greeting explicit:backend]',
  ],
  [
    'tools: a backend and a model that have them',
    HELLO,
    { tools: [{ name: 'f' }] },
    {
      models: [PHI_MLX, PHI, model('ollama', 'qwen2.5:3b', 3, { capabilities: ['completion', 'tools'] })],
      lacks: { mlx: 'tools' },
    },
    'greeting: ollama qwen2.5:3b [rule:greeting unavailable:mlx-tools]',
  ],
  [
    'images: a model that sees',
    'What is this?',
    {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', data: 'aGk=' },
            { type: 'text', text: 'What is this?' },
          ],
        },
      ],
    },
    {
      models: [GENERAL, model('ollama', 'llava:7b', 7, { capabilities: ['completion', 'vision'] })],
      lacks: { mlx: 'images' },
    },
    'general: ollama llava:7b [rule:image unavailable:mlx-images]',
  ],
  [
    'a schema: a backend that keeps to it',
    HELLO,
    { format: { type: 'json' } },
    { models: [PHI_MLX, PHI], lacks: { mlx: 'jsonSchema' } },
    'greeting: ollama phi3.5:3.8b [rule:greeting unavailable:mlx-jsonSchema]',
  ],
  [
    'a backend that has been removed: the others answer, and the reason says so',
    TEXT,
    { model: { kind: 'backend', backend: 'gone' } },
    {},
    'general: ollama qwen2.5:32b > mlx phi3.5-mini-4k [rule:default unavailable:gone-absent]',
  ],
  [
    'a backend that has been removed, without fallback',
    TEXT,
    { model: { kind: 'backend', backend: 'gone' }, strict: true },
    {},
    'general: no_model [rule:default unavailable:gone-absent no-capable-model]',
  ],
]);

describe('the details of a rejection', () => {
  const refusal = (...args: Parameters<typeof decide>) => {
    const decision = decide(...args);
    if (decision.kind !== 'refused') throw new Error('was not refused');
    return decision.error.message;
  };

  it('an unknown model in the words that Ollama’s clients know', () => {
    expect(refusal(TEXT, { model: { kind: 'named', name: 'nope' } })).toBe("model 'nope' not found");
  });

  it('a missing model with the cure', () => {
    expect(refusal(CODE, {}, { models: [] })).toContain('ollama pull qwen2.5-coder:7b');
    expect(refusal(CODE, {}, { models: [], states: { ollama: 'absent' } })).toContain(
      'Install or start Ollama, then pull',
    );
    expect(refusal(CODE, {}, { models: [], states: { ollama: 'absent' }, settingUp: 'ollama' })).toContain(
      'Ollama is still being set up',
    );
  });

  it('a language that the small model does not know, in that language where Tandem has it', () => {
    const world = { models: ONLY_SMALL };
    expect(refusal('Привет, как дела?', {}, world)).toContain('знает лишь английский');
    expect(refusal('Wie geht es dir heute?', {}, world)).toContain('knows English only');
    const inRussian = { ...world, settings: { language: 'ru' as const } };
    expect(refusal('Wie geht es dir heute?', {}, inRussian)).toContain('знает лишь английский');
  });

  it('a server that had the model and is gone, instead of a missing model', () => {
    expect(refusal(CODE, {}, { states: { ollama: 'absent' } })).toContain('Start Ollama again');
  });
});
