import { z } from 'zod';
import { backendId } from './backend-schema';
import { CATEGORIES } from './domain';

/** A chat as the store saves it and the UI shows it. */

export const ANSWER_STATUSES = ['queued', 'streaming', 'done', 'stopped', 'failed'] as const;

/** A change of backend within one answer: which one stopped, which one continued, and at which character. */
export const breakSchema = z.object({
  at: z.number(),
  from: backendId,
  to: backendId.nullable(),
  reason: z.string(),
});

/** What an answer waits for: its server failed or is down, and no other has continued yet. */
export const recoverySchema = z.object({
  /** The failed server and its cause, as a machine word; null = it was down before. */
  failed: z.object({ backend: backendId, cause: z.string() }).nullable(),
  /** The first of these that is up continues; empty = another server takes over now. */
  awaited: z.array(backendId),
});

/** The target of a message: Tandem decides, one backend, or one model. */
export const targetSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('auto') }),
  z.object({ kind: z.literal('backend'), backend: backendId }),
  z.object({ kind: z.literal('model'), backend: backendId, model: z.string().max(300) }),
]);
export type Target = z.infer<typeof targetSchema>;

/** Everything that the label and the reasons show. */
export const answerMetaSchema = z.object({
  /** A backend's id, `cache` or `app`. */
  source: z.string().nullable(),
  model: z.string().nullable(),
  category: z.enum(CATEGORIES).nullable(),
  /** The target that the user chose; absent = none. */
  target: targetSchema.optional(),
  reasons: z.array(z.string()),
  queueMs: z.number().nullable(),
  /** Milliseconds from the backend's acceptance of the request to the first token. */
  ttftMs: z.number().nullable(),
  /** Milliseconds of thinking before the answer; absent = none, or it has not ended. */
  thinkingMs: z.number().optional(),
  tokensPerSecond: z.number().nullable(),
  promptTokens: z.number().nullable(),
  completionTokens: z.number().nullable(),
  breaks: z.array(breakSchema),
  /** Present only while the answer waits for a server to recover. */
  recovery: recoverySchema.optional(),
  /** 1-based position in the queue and estimated wait while queued. */
  position: z.number().nullable(),
  etaMs: z.number().nullable(),
  /** Number of the oldest turns that were left out because they did not fit the context. */
  droppedTurns: z.number(),
  error: z
    .object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) })
    .nullable(),
  /** Which of Tandem's own texts to show. `small_model` and `interrupted` appear below an answer. */
  notice: z.enum(['no_model', 'declined', 'ollama_down', 'small_model', 'interrupted']).nullable(),
});
export type AnswerMeta = z.infer<typeof answerMetaSchema>;

export const messageSchema = z.discriminatedUnion('role', [
  z.object({ role: z.literal('user'), id: z.string(), chatId: z.string(), text: z.string(), at: z.number() }),
  z.object({
    role: z.literal('assistant'),
    id: z.string(),
    chatId: z.string(),
    /** The user message it answers; several answers may share one (retry, "ask the other one"). */
    replyTo: z.string(),
    text: z.string(),
    status: z.enum(ANSWER_STATUSES),
    meta: answerMetaSchema,
    at: z.number(),
  }),
]);
export type Message = z.infer<typeof messageSchema>;
export type Answer = Extract<Message, { role: 'assistant' }>;
export type UserMessage = Extract<Message, { role: 'user' }>;

export const chatSummarySchema = z.object({
  id: z.string(),
  title: z.string(),
  preview: z.string(),
  createdAt: z.number(),
  updatedAt: z.number(),
});
export type ChatSummary = z.infer<typeof chatSummarySchema>;

/** In a file without schemas, so that a UI that needs only this does not include the schema library. */
