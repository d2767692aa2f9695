import { z } from 'zod';
import { TandemError } from '../../../shared/errors';

/** A list of anything. Its items are not validated, as there may be many. */
const anyList = z.unknown().transform((value, context): unknown[] => {
  if (Array.isArray(value)) return value;
  return wrongly(context, z.array(z.unknown()), value);
});

/** A list of strings; validation stops at the first item that is not one. */
const textList = anyList.transform((values, context): string[] => {
  const wrong = values.findIndex((value) => typeof value !== 'string');
  return wrong === -1 ? (values as string[]) : wrongly(context, z.string(), values[wrong], [wrong]);
});

/** Reports the first issue that `schema` finds in a value. */
function wrongly(
  context: z.RefinementCtx,
  schema: z.ZodType,
  value: unknown,
  path: PropertyKey[] = [],
): never {
  context.addIssue({ code: 'custom', message: schema.safeParse(value).error?.issues[0]?.message, path });
  return z.NEVER;
}

/** An object with any fields. They are not validated, as there may be many. */
const anyObject = z.custom<Record<string, unknown>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

export const messageBody = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string().nullish(),
  images: textList.nullish(),
  tool_calls: anyList.nullish(),
  tool_name: z.string().nullish(),
});

/** Other options of a server are not validated either. */
export const optionsBody = z.object({
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  min_p: z.number().nullish(),
  seed: z.number().nullish(),
  repeat_penalty: z.number().nullish(),
  num_predict: z.number().nullish(),
  stop: z.union([z.string(), textList]).nullish(),
});

export const commonBody = z.object({
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  format: z.union([z.string(), anyObject]).nullish(),
  think: z.union([z.boolean(), z.enum(['low', 'medium', 'high', 'max'])]).nullish(),
  keep_alive: z.union([z.number(), z.string()]).nullish(),
  options: optionsBody.nullish(),
  category: z.string().nullish(),
  logprobs: z.boolean().nullish(),
});

/** The messages are validated one by one, before the tools. */
export const chatBody = commonBody.extend({ messages: anyList.nullish() });
export const toolsBody = z.object({ tools: anyList.nullish() });

export const generateBody = commonBody.extend({
  prompt: z.string().nullish(),
  system: z.string().nullish(),
  suffix: z.string().nullish(),
  template: z.string().nullish(),
  context: anyList.nullish(),
  raw: z.boolean().nullish(),
  images: textList.nullish(),
});

/**
 * Validates a body, or a value in it.
 * @param at path of the value in the body
 * @throws TandemError `bad_json` without a body, `bad_request` with the first issue
 */
export function parse<T>(schema: z.ZodType<T>, value: unknown, at: readonly PropertyKey[] = []): T {
  if (at.length === 0 && (value === undefined || value === null))
    throw new TandemError('bad_json', 'missing request body');
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = [...at, ...(issue?.path ?? [])].join('.') || 'the request body';
  throw new TandemError('bad_request', `${field}: ${issue?.message ?? 'invalid input'}`);
}
