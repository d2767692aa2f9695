import { z } from 'zod';
import { isAccelerator } from './accelerator';
import { backendInstanceSchema } from './backend-schema';
import { CATEGORIES } from './domain';
import { USE_BACKENDS } from './use-backends';

const seconds = z.number().positive().max(86_400);
const estimate = z.number().min(0).max(86_400);
const shortcut = z
  .string()
  .max(60)
  .refine((text) => text === '' || isAccelerator(text), 'a shortcut is written as Alt+Space');
const modelName = z.string().max(300).nullable();
/** `<backend>/<model>`; the model's name may contain further slashes. */
const modelKey = z
  .string()
  .max(400)
  .regex(/^[^/\s]+\/\S/);

/** A host with a port, or one that is clearly a host; an address without a scheme means http. */
const WITHOUT_SCHEME =
  /^((\[[0-9a-f:.]+\]|[a-z0-9.-]+):\d{1,5}|\[[0-9a-f:.]+\]|localhost|[a-z0-9-]+(\.[a-z0-9-]+)+)(\/\S*)?$/i;
const address = z.preprocess(
  (given) => (typeof given === 'string' && WITHOUT_SCHEME.test(given) ? `http://${given}` : given),
  z.url({ protocol: /^https?$/ }),
);
const serverUrl = address.nullable();
const slots = z.number().int().min(1).max(16);

/** Ids that already mean something else in places where a backend's id may appear. */
const RESERVED_IDS = ['mlx', 'ollama', 'both', 'system', 'auto', 'model', 'cloud', 'cache', 'app'];
const backendRow = backendInstanceSchema.extend({
  // A cloud may answer only after the user has switched it on, and there is no such switch yet.
  role: z.enum(['light', 'heavy']),
  url: address,
  maxConcurrent: slots.default(1),
  /** The model for each category; absent = the best installed one. */
  models: z.partialRecord(z.enum(CATEGORIES), modelName).optional(),
});
const moreBackends = z
  .array(backendRow)
  .max(8)
  .refine(
    (rows) =>
      new Set([...RESERVED_IDS, ...rows.map(({ id }) => id)]).size === RESERVED_IDS.length + rows.length,
    `each id once, and none of ${RESERVED_IDS.join(', ')}`,
  );

/**
 * All settings with their defaults. A value comes from the environment, else from the file, else from here. `env` is
 * the variable; `acts` is when a change takes effect.
 */
export const SETTINGS = {
  mlxOnlyLight: { schema: z.boolean(), default: true, env: 'MLX_ONLY_LIGHT', acts: 'mlx-restart' },
  policy: { schema: z.enum(['strategy', 'mlx-first']), default: 'strategy', env: null, acts: 'now' },
  mlxCategories: {
    schema: z.array(z.enum(CATEGORIES)),
    default: ['greeting', 'fast'],
    env: null,
    acts: 'now',
  },
  mlxModelFast: { schema: modelName, default: null, env: 'MLX_MODEL_FAST', acts: 'mlx-restart' },
  mlxModelCoding: { schema: modelName, default: null, env: 'MLX_MODEL_CODING', acts: 'now' },
  mlxModelReasoning: { schema: modelName, default: null, env: 'MLX_MODEL_REASONING', acts: 'now' },
  mlxModelDefault: { schema: modelName, default: null, env: 'MLX_MODEL_DEFAULT', acts: 'now' },
  ollamaModelFast: { schema: modelName, default: null, env: 'OLLAMA_MODEL_FAST', acts: 'now' },
  ollamaModelCoding: { schema: modelName, default: null, env: 'OLLAMA_MODEL_CODING', acts: 'now' },
  ollamaModelReasoning: { schema: modelName, default: null, env: 'OLLAMA_MODEL_REASONING', acts: 'now' },
  ollamaModelGeneral: { schema: modelName, default: null, env: 'OLLAMA_MODEL_GENERAL', acts: 'now' },
  mlxMaxConcurrent: {
    schema: slots,
    default: 1,
    env: 'MLX_MAX_CONCURRENT',
    acts: 'mlx-restart',
  },
  /**
   * Percent of memory that MLX wires, which the system then cannot take back. Wiring is what triggers the known kernel
   * panics; 0 = none. On a small Mac less is wired: at least 35 % of memory, and 8 GB, stay with the system.
   */
  mlxWiredPercent: {
    schema: z.number().int().min(0).max(65),
    default: 0,
    env: 'MLX_WIRED_PERCENT',
    acts: 'mlx-restart',
  },
  ollamaMaxConcurrent: {
    schema: slots,
    default: 1,
    env: 'OLLAMA_MAX_CONCURRENT',
    acts: 'now',
  },
  /** `mlx_lm.server` loads one model and has no option for more, so a larger number changes nothing. */
  mlxMaxCachedModels: {
    schema: z.number().int().min(1).max(4),
    default: 1,
    env: 'MLX_MAX_CACHED_MODELS',
    acts: 'mlx-restart',
  },
  mlxPreloadModels: {
    schema: z.string().max(300),
    default: 'fast',
    env: 'MLX_PRELOAD_MODELS',
    acts: 'mlx-restart',
  },
  /** Seconds; null = the largest estimate over known models at 2048 tokens, at least 300 s. */
  queueWaitTimeoutS: {
    schema: seconds.nullable(),
    default: null,
    env: 'MLX_QUEUE_WAIT_TIMEOUT',
    acts: 'now',
  },
  rateLimitMax: { schema: z.number().int().min(0), default: 150, env: 'MLX_RATE_LIMIT_MAX', acts: 'now' },
  rateLimitWindowS: { schema: seconds, default: 90, env: 'MLX_RATE_LIMIT_WINDOW', acts: 'now' },
  memoryWarningPercent: {
    schema: z.number().min(1).max(100),
    default: 85,
    env: 'MLX_MEMORY_WARNING_PERCENT',
    acts: 'now',
  },
  memoryCriticalPercent: {
    schema: z.number().min(1).max(100),
    default: 95,
    env: 'MLX_MEMORY_CRITICAL_PERCENT',
    acts: 'now',
  },
  /** Time limit of a backend for one request, in seconds (at least 600 for reasoning). */
  requestTimeoutS: { schema: seconds, default: 300, env: 'LOCAL_ROUTER_LLM_TIMEOUT', acts: 'now' },
  /** Seconds to the first restart after a crash; the wait doubles for each further one. */
  restartBackoffS: {
    schema: z.number().min(0.05).max(300),
    default: 5,
    env: 'TANDEM_RESTART_BACKOFF',
    acts: 'now',
  },
  /** Seconds of uptime after which a server's earlier crashes are forgotten. */
  restartStableS: {
    schema: z.number().min(1).max(86_400),
    default: 600,
    env: 'TANDEM_RESTART_STABLE',
    acts: 'now',
  },
  /** Factor on the time after which a server counts as hung, for a machine that other programs keep busy. */
  hangPatience: {
    schema: z.number().min(1).max(100),
    default: 1,
    env: 'TANDEM_HANG_PATIENCE',
    acts: 'app-restart',
  },
  /** Seconds per model: load, per 1k tokens, margin. */
  modelTimeEstimates: {
    schema: z.record(z.string(), z.object({ load: estimate, per1k: estimate, margin: estimate })),
    default: {} as Record<string, { load: number; per1k: number; margin: number }>,
    env: 'MODEL_TIME_ESTIMATES',
    acts: 'now',
  },
  /**
   * Tokens of context by `<backend>/<model>`, at most what the model supports; others get what fits memory. A changed
   * value reloads a model of our own Ollama at its next request.
   */
  contextLengths: {
    schema: z.record(modelKey, z.number().int().min(512).max(16_777_216)),
    default: {} as Record<string, number>,
    env: 'TANDEM_CONTEXT_LENGTHS',
    acts: 'now',
  },
  /** The chat leaves out the oldest turns that do not fit the model's context; false = such a message is an error. */
  chatLeavesOutOldest: { schema: z.boolean(), default: true, env: null, acts: 'now' },
  /** One short call to MLX may refine the category `general`. */
  mlxLightClassify: {
    schema: z.boolean(),
    default: false,
    env: 'VICTORIA_MLX_LIGHT_CLASSIFY',
    acts: 'now',
  },
  /** Background tasks are grouped by model. */
  batchByModel: {
    schema: z.boolean(),
    default: true,
    env: 'SMART_WORKER_BATCH_BY_MODEL',
    acts: 'now',
  },
  /** Characters of one retrieved snippet. */
  snippetChars: {
    schema: z.number().int().min(1).max(100_000),
    default: 500,
    env: 'RAG_SNIPPET_CHARS',
    acts: 'now',
  },
  /** Characters up to which the best snippet is used in full; 0 = never. */
  topSnippetFullChars: {
    schema: z.number().int().min(0).max(1_000_000),
    default: 2000,
    env: 'RAG_TOP1_FULL_MAX_CHARS',
    acts: 'now',
  },
  /** Empty = probe 127.0.0.1:11434, else start our own. */
  ollamaUrl: {
    schema: serverUrl,
    default: null,
    env: 'OLLAMA_API_URL',
    acts: 'app-restart',
  },
  mlxUrl: {
    schema: serverUrl,
    default: null,
    env: 'MLX_API_URL',
    acts: 'app-restart',
  },
  /** Servers in addition to MLX and Ollama, such as an Ollama on another Mac. */
  moreBackends: {
    schema: moreBackends,
    default: [] as z.output<typeof moreBackends>,
    env: null,
    acts: 'app-restart',
  },
  useBackends: { schema: z.enum(USE_BACKENDS), default: 'both', env: null, acts: 'app-restart' },
  modelFolders: {
    schema: z.array(z.string().max(1000)).max(20),
    default: [] as string[],
    env: null,
    acts: 'now',
  },
  /** False = the user has removed the small model; it is not downloaded again. */
  smallModel: { schema: z.boolean(), default: true, env: null, acts: 'now' },
  /** Consent to create the small model in an Ollama that is not ours. */
  smallModelInAdopted: { schema: z.boolean(), default: false, env: null, acts: 'now' },
  /** The first-start screen is done; null = not decided, so that an installation with models and chats skips it. */
  firstStartDone: { schema: z.boolean().nullable(), default: null, env: null, acts: 'now' },
  theme: { schema: z.enum(['system', 'light', 'dark']), default: 'system', env: null, acts: 'now' },
  language: { schema: z.enum(['system', 'en', 'ru']), default: 'system', env: null, acts: 'now' },
  openAtLogin: { schema: z.boolean(), default: false, env: null, acts: 'now' },
  /** Empty = none. */
  globalShortcut: { schema: shortcut, default: 'Alt+Space', env: null, acts: 'now' },
} as const satisfies Record<
  string,
  { schema: z.ZodType; default: unknown; env: string | null; acts: 'now' | 'mlx-restart' | 'app-restart' }
>;

export type SettingKey = keyof typeof SETTINGS;
export type Settings = { -readonly [K in SettingKey]: z.output<(typeof SETTINGS)[K]['schema']> };
export const SETTING_KEYS = Object.keys(SETTINGS) as [SettingKey, ...SettingKey[]];

/** Pairs whose first value must not be above the second; a default is adjusted to a chosen value. */
export const ORDERED_SETTINGS = [['memoryWarningPercent', 'memoryCriticalPercent']] as const;

/** Pairs of which only one may be above its default: several requests at once run only with unwired memory. */
export const EXCLUSIVE_SETTINGS = [['mlxMaxConcurrent', 'mlxWiredPercent']] as const;

export const settingViewSchema = z.object({
  value: z.unknown(),
  source: z.enum(['environment', 'file', 'default']),
  /** The variable that sets it, if the environment does. */
  env: z.string().nullable(),
  acts: z.enum(['now', 'mlx-restart', 'app-restart']),
  /** Changed since the start of the process that it applies to. */
  pendingRestart: z.boolean(),
});
export type SettingView = z.infer<typeof settingViewSchema>;
export const settingsViewSchema = z.record(z.enum(SETTING_KEYS), settingViewSchema);
export type SettingsView = z.infer<typeof settingsViewSchema>;

export function defaultSettings(): Settings {
  return Object.fromEntries(
    SETTING_KEYS.map((key) => [key, structuredClone(SETTINGS[key].default)]),
  ) as Settings;
}
