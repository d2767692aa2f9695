import { z } from 'zod';
import { backendId } from './backend-schema';
import { CATEGORIES } from './domain';
import { detailsSchema } from './status';

/** Models, their downloads and the first start, as the UI sees them. Bytes, tokens, milliseconds. */

export const fitSchema = z.enum(['yes', 'tight', 'no', 'unknown']);

/** Who put a model's files where they are; decides how freely it may be deleted. */
export const MODEL_OWNERS = ['tandem', 'ollama', 'huggingface', 'lmstudio', 'folder'] as const;
export type ModelOwner = (typeof MODEL_OWNERS)[number];

export const modelViewSchema = z.object({
  backend: backendId,
  name: z.string(),
  sizeBytes: z.number().nullable(),
  billions: z.number().nullable(),
  quantisation: z.string().nullable(),
  weight: z.enum(['light', 'middle', 'heavy', 'unknown']),
  /** The model that comes with Tandem. */
  small: z.boolean(),
  /** Codes of the only languages that it supports; null = unknown. */
  languages: z.array(z.string()).nullable(),
  remote: z.boolean(),
  /** Does it run on this machine: well, barely together with others, or not? `unknown` without a size. */
  fit: fitSchema,
  /** The model's own limit in tokens; null = unknown. */
  contextLength: z.number().nullable(),
  /** Tokens that Tandem serves it with, constant until a setting, the pair or the machine changes; null = unknown. */
  pinnedContext: z.number().nullable(),
  /** The user chose `pinnedContext`. */
  contextChosen: z.boolean(),
  /** Bytes of KV cache per token, for the cost of a longer context; null = unknown. */
  bytesPerToken: z.number().nullable(),
  /** The server's terms: `completion`, `tools`, `vision`, `thinking`, `embedding`. */
  capabilities: z.array(z.string()),
  /** Categories that are answered by this model as things are. */
  usedFor: z.array(z.enum(CATEGORIES)),
  load: z.enum(['loaded', 'loading', 'none']),
  /** The last measured load, ms; null = never measured. */
  loadMs: z.number().nullable(),
  /** Measured speed of answers; null = never measured. */
  tokensPerSecond: z.number().nullable(),
  /** Wall time of its last answer; null = never. */
  lastUsedAt: z.number().nullable(),
  owner: z.enum(MODEL_OWNERS),
  /** It has files on this machine that a file manager can show. */
  hasFolder: z.boolean(),
  /**
   * Why it cannot be used; null = it can. `REASON:FILE` with the file that is missing or truncated, REASON one of
   * `weights_missing`, `download_unfinished`, `config_unreadable`. Such a model is shown but never offered.
   */
  broken: z.string().nullable(),
});
export type ModelView = z.infer<typeof modelViewSchema>;

/** What a model is good for, in the catalogue. */
export const PURPOSES = ['light', 'general', 'coding', 'reasoning', 'vision', 'embedding'] as const;

/** A model of the catalogue, rated for this machine. */
export const suggestionSchema = z.object({
  /** Server that would run it. */
  backend: backendId,
  /** Ollama's tag or the repository. */
  name: z.string(),
  title: z.string(),
  purpose: z.enum(PURPOSES),
  sizeBytes: z.number(),
  billions: z.number(),
  contextLength: z.number(),
  /** Codes of its languages; empty = many. */
  languages: z.array(z.string()),
  capabilities: z.array(z.string()),
  licence: z.string(),
  /** A document confirms its name and size. */
  verified: z.boolean(),
  fit: fitSchema,
  /** Installed already under this name. */
  installed: z.boolean(),
});
export type Suggestion = z.infer<typeof suggestionSchema>;

/** Two models that run together on this machine: the light one on MLX, the other one on Ollama. */
export const pairSchema = z.object({
  light: suggestionSchema.nullable(),
  heavy: suggestionSchema.nullable(),
  /** Bytes still to be downloaded. */
  downloadBytes: z.number(),
  /** Bytes of memory of both, with their contexts. */
  memoryBytes: z.number(),
});
export type Pair = z.infer<typeof pairSchema>;

export const firstStartSchema = z.object({
  /** The user has finished or left the first-start screen. */
  done: z.boolean(),
  machine: z.object({
    /** Such as `Apple M4 Pro`; null = unknown. */
    chip: z.string().nullable(),
    /** Null until the memory was read for the first time. */
    totalBytes: z.number().nullable(),
    /** What the GPU may use; null = unknown. */
    gpuBytes: z.number().nullable(),
    /** Free on the disk that holds the models; null = unknown. */
    diskFreeBytes: z.number().nullable(),
  }),
  /** Usable models that were here already, by place; the small model does not count. */
  found: z.array(
    z.object({ place: z.enum(['ollama', 'huggingface', 'lmstudio', 'folder']), models: z.number() }),
  ),
  /** The best pair that fits, also if the disk is too full for it; null = nothing fits, or memory is unknown yet. */
  pair: pairSchema.nullable(),
  /** A smaller one that is faster to download; null = there is none. */
  smallerPair: pairSchema.nullable(),
  /** All of the catalogue that fits this machine, best first within a purpose. */
  suggestions: z.array(suggestionSchema),
});
export type FirstStart = z.infer<typeof firstStartSchema>;

export const downloadSchema = z.object({
  /** Backend that will run the model; with `name` the key of the download. */
  backend: backendId,
  name: z.string(),
  state: z.enum(['waiting', 'running', 'paused', 'done', 'failed']),
  /** The source's own name of the step. */
  step: z.string(),
  completedBytes: z.number(),
  totalBytes: z.number().nullable(),
  bytesPerSecond: z.number().nullable(),
  error: z.object({ code: z.string(), message: z.string(), details: detailsSchema.optional() }).nullable(),
});
export type Download = z.infer<typeof downloadSchema>;

/** What a name stands for before its download. */
export const lookupSchema = z.object({
  backend: backendId,
  name: z.string(),
  /** Bytes to download; null = the source does not say. */
  sizeBytes: z.number().nullable(),
  billions: z.number().nullable(),
  contextLength: z.number().nullable(),
  licence: z.string().nullable(),
  fit: fitSchema,
  /** The source wants a token, or consent on its page. */
  gated: z.boolean(),
  /** Why this server cannot run it: `not_mlx`, `no_safetensors`, `unknown_architecture:NAME`; null = it can, or unknown. */
  refused: z.string().nullable(),
  installed: z.boolean(),
});
export type Lookup = z.infer<typeof lookupSchema>;

/** What deleting a model means; shown before it happens. */
export const deletePlanSchema = z.object({
  owner: z.enum(MODEL_OWNERS),
  /** Folder or server that it is deleted from, as a person knows it. */
  place: z.string(),
  freedBytes: z.number().nullable(),
  diskFreeBytes: z.number().nullable(),
  /** Categories that lose their model, with the one that takes over (null = none). */
  stops: z.array(z.object({ category: z.enum(CATEGORIES), next: z.string().nullable() })),
});
export type DeletePlan = z.infer<typeof deletePlanSchema>;
